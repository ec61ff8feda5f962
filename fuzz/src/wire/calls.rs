//! Methods by number. A method without its number here is not tried: append
//! new ones, so that stored inputs keep their meaning.

use futures::StreamExt as _;
use prost::Message;
use tidegate_gateway::grpc::{Executions, Hooks, Plans};
use tidegate_proto::v1::{
    self, execution_service_server::ExecutionService as _, hook_service_server::HookService as _,
    plan_service_server::PlanService as _,
};
use tonic::{Request, Status};

use super::{stored, world::World};

/// How many numbers there are.
const METHODS: u8 = 27;
/// Messages of a stream that are looked at.
const HEARD: usize = 6;

/// What came of a call; `None` if the bytes are no such request.
pub(super) async fn call(
    world: &mut World,
    method: u8,
    bytes: &[u8],
) -> Option<Result<(), Status>> {
    match method % METHODS {
        method @ 0..=9 => of_plans(world, method, bytes).await,
        method @ (10..=20 | 26) => of_executions(world, method, bytes).await,
        method => of_hooks(world, method, bytes).await,
    }
}

fn read<M: Message + Default>(bytes: &[u8]) -> Option<Request<M>> {
    M::decode(bytes).ok().map(Request::new)
}

async fn of_plans(world: &World, method: u8, bytes: &[u8]) -> Option<Result<(), Status>> {
    let plans = Plans(world.services());
    Some(match method {
        0 | 8 => plans.create_plan(read(bytes)?).await.map(|answer| {
            let plan = answer.into_inner().plan.expect("the plan that was made");
            stored(&plan);
        }),
        1 | 9 => plans.update_plan(read(bytes)?).await.map(|answer| {
            let plan = answer.into_inner().plan.expect("the plan as it is now");
            stored(&plan);
        }),
        2 => plans.get_plan(read(bytes)?).await.map(|answer| {
            let plan = answer.into_inner().plan.expect("the plan");
            stored(&plan);
        }),
        3 => plans.list_plans(read(bytes)?).await.map(drop),
        4 => plans.delete_plan(read(bytes)?).await.map(drop),
        5 => plans.validate_plan(read(bytes)?).await.map(|answer| {
            for violation in answer.into_inner().violations {
                assert!(!violation.field.is_empty() && !violation.description.is_empty());
            }
        }),
        6 => plans.list_plan_revisions(read(bytes)?).await.map(drop),
        _ => plans.check_readiness(read(bytes)?).await.map(drop),
    })
}

async fn of_executions(world: &mut World, method: u8, bytes: &[u8]) -> Option<Result<(), Status>> {
    let executions = Executions(world.services());
    /// A request about the newest execution, unless it names one.
    macro_rules! about {
        ($request:ident) => {{
            let mut request: Request<v1::$request> = read(bytes)?;
            if request.get_ref().execution.is_empty() {
                request.get_mut().execution = world.newest().to_owned();
            }
            request
        }};
    }
    Some(match method {
        10 => executions
            .start_execution(read(bytes)?)
            .await
            .map(|answer| {
                let started = answer.into_inner().execution.expect("what was started");
                world.started(started.id);
            }),
        11 => executions.pause(about!(PauseRequest)).await.map(drop),
        12 => executions.resume(about!(ResumeRequest)).await.map(drop),
        13 => executions.cancel(about!(CancelRequest)).await.map(drop),
        14 => executions
            .retry_wave(about!(RetryWaveRequest))
            .await
            .map(drop),
        15 => executions
            .skip_wave(about!(SkipWaveRequest))
            .await
            .map(drop),
        16 => executions.clean_up(about!(CleanUpRequest)).await.map(drop),
        17 => executions.list_executions(read(bytes)?).await.map(drop),
        18 => executions
            .list_events(about!(ListEventsRequest))
            .await
            .map(drop),
        19 => {
            let stream = executions.watch(about!(WatchRequest)).await;
            heard(stream.map(|stream| stream.into_inner())).await
        }
        26 => {
            let instances = executions.list_recovery_instances(read(bytes)?).await;
            instances.map(drop)
        }
        _ => {
            let stream = executions.watch_all(read(bytes)?).await;
            heard(stream.map(|stream| stream.into_inner())).await
        }
    })
}

/// The first messages of a stream that are there without a wait.
async fn heard<M, S>(stream: Result<S, Status>) -> Result<(), Status>
where
    S: futures::Stream<Item = Result<M, Status>> + Unpin,
{
    let mut stream = stream?;
    for _ in 0..HEARD {
        for _ in 0..HEARD {
            tokio::task::yield_now().await;
        }
        match futures::poll!(stream.next()) {
            std::task::Poll::Ready(Some(message)) => drop(message?),
            std::task::Poll::Ready(None) | std::task::Poll::Pending => break,
        }
    }
    Ok(())
}

async fn of_hooks(world: &World, method: u8, bytes: &[u8]) -> Option<Result<(), Status>> {
    let hooks = Hooks(world.services());
    Some(match method {
        21 => hooks.get_hook(read(bytes)?).await.map(drop),
        22 => hooks.list_hooks(read(bytes)?).await.map(drop),
        23 => hooks.delete_hook(read(bytes)?).await.map(drop),
        24 => {
            let mut request: Request<v1::ListTapesRequest> = read(bytes)?;
            if request.get_ref().execution.is_empty() {
                request.get_mut().execution = world.newest().to_owned();
            }
            hooks.list_tapes(request).await.map(drop)
        }
        _ => {
            let mut request: Request<v1::DownloadTapeRequest> = read(bytes)?;
            if let Some(id) = &mut request.get_mut().id
                && id.execution.is_empty()
            {
                id.execution = world.newest().to_owned();
            }
            hooks.download_tape(request).await.map(drop)
        }
    })
}
