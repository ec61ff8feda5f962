//! Hooks, as a client stores, looks up and deletes them.

mod arming;
mod tapes;

use tidegate_proto::v1::{hook_service_client::HookServiceClient, test_hook_request::Subject};
use tonic::Code;

use super::*;
use crate::grpc::fixtures::{FakeHooks, digest};

/// A gateway with hooks, and a client of them.
struct Shelf {
    world: World,
    hooks: HookServiceClient<Channel>,
    fake: Arc<FakeHooks>,
}

impl Shelf {
    async fn start() -> Self {
        Self::on(Arc::default(), |_| {}).await
    }

    async fn on(fake: Arc<FakeHooks>, change: impl FnOnce(&mut Ports)) -> Self {
        let mut ports = Ports::in_memory(Arc::new(CalmDrs::default()));
        ports.hooks = Arc::clone(&fake) as Arc<_>;
        change(&mut ports);
        let world = World::on(ports, |_| {}).await;
        let hooks = HookServiceClient::new(connect(&world.gateway).await);
        Self { world, hooks, fake }
    }

    async fn push(&mut self, component: &str) -> Result<v1::RegisterHookResponse, Status> {
        let parts = upload(component);
        let answer = self.hooks.register_hook(tokio_stream::iter(parts)).await?;
        Ok(answer.into_inner())
    }

    async fn get(&mut self, hook: &str) -> Result<v1::Hook, Status> {
        let hook = hook.to_owned();
        let answer = self.hooks.get_hook(v1::GetHookRequest { hook }).await?;
        Ok(answer.into_inner().hook.unwrap())
    }

    async fn delete(&mut self, digest: &str) -> Result<(), Status> {
        let request = v1::DeleteHookRequest {
            digest: digest.to_owned(),
            allow_missing: false,
            request_id: String::new(),
        };
        self.hooks.delete_hook(request).await.map(drop)
    }

    async fn apply(&mut self, plan: v1::Plan) -> Result<v1::UpdatePlanResponse, Status> {
        let answer = self.world.plans.update_plan(apply(plan)).await?;
        Ok(answer.into_inner())
    }
}

fn apply(plan: v1::Plan) -> v1::UpdatePlanRequest {
    v1::UpdatePlanRequest {
        plan: Some(plan),
        allow_missing: true,
        request_id: String::new(),
    }
}

/// The messages of an upload, two bytes each.
fn upload(component: &str) -> Vec<v1::RegisterHookRequest> {
    let chunks = component.as_bytes().chunks(2);
    let mut parts: Vec<_> = chunks
        .map(|data| v1::RegisterHookRequest {
            data: data.to_vec(),
            ..v1::RegisterHookRequest::default()
        })
        .collect();
    parts[0].digest = digest(component.as_bytes());
    parts[0].size_bytes = component.len() as u64;
    parts
}

#[tokio::test]
async fn a_hook_is_registered_once_and_found_by_digest_and_by_name() {
    let mut shelf = Shelf::start().await;
    let old = shelf.push("tcp/1").await.unwrap();
    assert!(old.created);
    let again = shelf.push("tcp/1").await.unwrap();
    assert_eq!((again.created, &again.hook), (false, &old.hook));
    let new = shelf.push("tcp/2").await.unwrap().hook.unwrap();

    let old = old.hook.unwrap();
    assert_eq!(shelf.get(&old.digest).await.unwrap(), old);
    assert_eq!(shelf.get("tcp").await.unwrap(), new);
    for (unknown, code) in [
        ("dns", Code::NotFound),
        (&*digest(b"dns"), Code::NotFound),
        ("", Code::InvalidArgument),
        ("sha256:0", Code::InvalidArgument),
    ] {
        assert_eq!(shelf.get(unknown).await.unwrap_err().code(), code);
    }
}

#[tokio::test]
async fn what_is_no_hook_is_refused_and_what_is_wrong_is_named() {
    let mut shelf = Shelf::start().await;
    let refused = shelf.push(" tcp").await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert_eq!(reason(&refused), "NOT_A_HOOK");
    assert!(refused.message().contains("begins with a blank"));

    let mut other = upload("tcp/1");
    other[0].digest = digest(b"tcp/2");
    let other = tokio_stream::iter(other);
    let refused = shelf.hooks.register_hook(other).await.unwrap_err();
    let bad = refused.get_details_bad_request().unwrap();
    assert_eq!(bad.field_violations[0].field, "digest");
    assert_eq!(
        shelf.fake.add("tcp/1"),
        digest(b"tcp/1"),
        "nothing was kept"
    );
}

#[tokio::test]
async fn uploads_that_hang_are_bounded_and_keep_nobody_from_looking() {
    let mut shelf = Shelf::start().await;
    shelf.fake.add("tcp/1");
    let (mut held, mut calls) = (Vec::new(), Vec::new());
    for _ in 0..5 {
        let (parts, stream) = tokio::sync::mpsc::channel(1);
        let mut client = shelf.hooks.clone();
        let stream = tokio_stream::wrappers::ReceiverStream::new(stream);
        calls.push(tokio::spawn(
            async move { client.register_hook(stream).await },
        ));
        parts.send(upload("tcp/1").remove(0)).await.unwrap();
        held.push(parts);
    }
    // All of them hang, but one of them has no place to do it in.
    let (refused, _, hanging) = futures::future::select_all(calls).await;
    let refused = refused.unwrap().unwrap_err();
    assert_eq!(reason(&refused), "TOO_MANY_UPLOADS");
    assert!(shelf.get("tcp").await.is_ok());

    drop(held);
    for call in hanging {
        let ended = call.await.unwrap().unwrap_err();
        assert!(
            ended.message().starts_with("data: ended after 2"),
            "{ended}"
        );
    }
    shelf.push("tcp/3").await.unwrap();
}

#[tokio::test]
async fn hooks_are_listed_in_pages_with_what_uses_them() {
    let mut shelf = Shelf::start().await;
    for component in ["tcp/1", "dns/1", "tcp/2"] {
        shelf.push(component).await.unwrap();
    }
    let plan = fixtures::verified_shop(&["tcp"]);
    shelf.apply(plan).await.unwrap();
    let mut listed = Vec::new();
    let mut request = v1::ListHooksRequest {
        page_size: 2,
        ..v1::ListHooksRequest::default()
    };
    loop {
        let page = shelf.hooks.list_hooks(request.clone()).await.unwrap();
        let page = page.into_inner();
        listed.push(page.hooks);
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    assert_eq!(listed.iter().map(Vec::len).collect::<Vec<_>>(), [2, 1]);
    let shown = listed.concat();
    let shown: Vec<(&str, &[String])> = shown
        .iter()
        .map(|it| (it.digest.as_str(), &*it.used_by))
        .collect();
    let [dns, old, new] = ["dns/1", "tcp/1", "tcp/2"].map(|it| digest(it.as_bytes()));
    let shop = ["shop".to_owned()];
    let expected: [(&str, &[String]); 3] = [(&dns, &[]), (&new, &shop), (&old, &[])];
    assert_eq!(shown, expected);
}

#[tokio::test]
async fn a_download_gives_the_bytes_that_were_registered() {
    let mut shelf = Shelf::start().await;
    let component = format!("tcp/{}", "x".repeat(600_000));
    shelf.fake.add(&component);
    let hook = "tcp".to_owned();
    let request = v1::DownloadHookRequest { hook };
    let answer = shelf.hooks.download_hook(request).await.unwrap();
    let mut parts = answer.into_inner();
    let mut sizes = Vec::new();
    let mut read = Vec::new();
    while let Some(part) = parts.next().await {
        let data = part.unwrap().data;
        sizes.push(data.len());
        read.extend(data);
    }
    assert_eq!(sizes, [256 << 10, 256 << 10, 600_004 - (512 << 10)]);
    assert_eq!(digest(&read), digest(component.as_bytes()));

    let hook = digest(b"dns");
    let request = v1::DownloadHookRequest { hook };
    let refused = shelf.hooks.download_hook(request).await.unwrap_err();
    assert_eq!(reason(&refused), "HOOK_NOT_FOUND");
}

#[tokio::test]
async fn a_gateway_with_an_open_download_shuts_down() {
    let mut shelf = Shelf::start().await;
    shelf.fake.add(&format!("tcp/{}", "x".repeat(30 << 20)));
    let hook = "tcp".to_owned();
    let request = v1::DownloadHookRequest { hook };
    let answer = shelf.hooks.download_hook(request).await.unwrap();
    let mut parts = answer.into_inner();
    parts.next().await.unwrap().unwrap();

    let ending = tokio::spawn(shelf.world.gateway.shut_down());
    // Everything runs on this thread: it begins before the rest is read.
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }

    let end = loop {
        if let Err(end) = parts.next().await.expect("the download is cut short") {
            break end;
        }
    };
    assert_eq!(
        (end.code(), &*reason(&end)),
        (Code::Unavailable, "SHUTTING_DOWN")
    );
    ending.await.unwrap();
}

#[tokio::test]
async fn a_hook_is_tried_on_what_a_client_sends() {
    let mut shelf = Shelf::start().await;
    shelf.push("tcp").await.unwrap();
    let request = |subject| v1::TestHookRequest {
        hook: "tcp".to_owned(),
        subject,
    };
    let vector = Some(Subject::Vector("context: {}".to_owned()));
    let tried = shelf.hooks.test_hook(request(vector)).await.unwrap();
    let tried = tried.into_inner();
    let run = tried.run.unwrap();
    assert_eq!((run.hook.as_str(), run.attempt), ("tcp", 2));
    assert_eq!(run.outcome(), v1::HookOutcome::Hold);
    assert_eq!(run.phase(), v1::HookPhase::PostWave);
    assert_eq!(tried.tape, "{\"of\":\"context: {}\"}");

    let tape = Some(Subject::Tape(tried.tape));
    let tried = shelf.hooks.test_hook(request(tape)).await.unwrap();
    let run = tried.into_inner().run.unwrap();
    assert_eq!(run.outcome(), v1::HookOutcome::Proceed);

    for (subject, field) in [
        (None, "vector"),
        (Some(Subject::Vector(String::new())), "vector"),
        (Some(Subject::Tape(String::new())), "tape"),
    ] {
        let refused = shelf.hooks.test_hook(request(subject)).await.unwrap_err();
        let bad = refused.get_details_bad_request().unwrap();
        assert_eq!(bad.field_violations[0].field, field);
    }
}

#[tokio::test]
async fn a_hook_is_kept_while_a_plan_or_an_execution_uses_it() {
    let mut shelf = Shelf::start().await;
    let tcp = shelf.push("tcp").await.unwrap().hook.unwrap().digest;
    shelf
        .apply(fixtures::verified_shop(&["tcp"]))
        .await
        .unwrap();
    assert_eq!(shelf.get(&tcp).await.unwrap().used_by, ["shop"]);
    let refused = shelf.delete(&tcp).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    assert_eq!(reason(&refused), "HOOK_IN_USE");
    let users = |refused: &Status| {
        let info = refused.get_details_error_info().unwrap();
        info.metadata["used_by"].clone()
    };
    assert_eq!(users(&refused), "plan shop");

    let drill = shelf.world.start_drill("shop", "first").await.unwrap();
    shelf
        .world
        .until(&drill.id, v1::ExecutionState::Paused)
        .await;
    shelf.apply(fixtures::shop()).await.unwrap();
    let refused = shelf.delete(&tcp).await.unwrap_err();
    assert_eq!(users(&refused), format!("execution {}", drill.id));

    shelf.world.resume(&drill.id).await.unwrap();
    shelf
        .world
        .until(&drill.id, v1::ExecutionState::Succeeded)
        .await;
    shelf.delete(&tcp).await.unwrap();
    assert_eq!(shelf.delete(&tcp).await.unwrap_err().code(), Code::NotFound);
    let missing = v1::DeleteHookRequest {
        digest: tcp,
        allow_missing: true,
        request_id: String::new(),
    };
    shelf.hooks.delete_hook(missing).await.unwrap();
}

#[tokio::test]
async fn a_deletion_that_is_asked_again_deletes_nothing_that_came_since() {
    let mut shelf = Shelf::start().await;
    let tcp = shelf.push("tcp").await.unwrap().hook.unwrap().digest;
    let dns = shelf.push("dns").await.unwrap().hook.unwrap().digest;
    let request = |digest: &str| v1::DeleteHookRequest {
        digest: digest.to_owned(),
        allow_missing: false,
        request_id: "gone".to_owned(),
    };
    shelf.hooks.delete_hook(request(&tcp)).await.unwrap();
    shelf.hooks.delete_hook(request(&tcp)).await.unwrap();
    shelf.push("tcp").await.unwrap();
    shelf.hooks.delete_hook(request(&tcp)).await.unwrap();
    assert!(shelf.get(&tcp).await.is_ok());

    let reused = shelf.hooks.delete_hook(request(&dns)).await.unwrap_err();
    assert_eq!(reason(&reused), "REQUEST_ID_REUSED");
    assert!(shelf.get(&dns).await.is_ok());
}

#[tokio::test]
async fn a_hook_is_never_deleted_under_a_plan_that_is_applied_at_the_same_time() {
    let mut shelf = Shelf::start().await;
    for round in 0..60 {
        let hook = shelf.push(&format!("tcp/{round}")).await.unwrap();
        let digest = hook.hook.unwrap().digest;
        let (mut hooks, mut plans) = (shelf.hooks.clone(), shelf.world.plans.clone());
        let request = v1::DeleteHookRequest {
            digest: digest.clone(),
            allow_missing: false,
            request_id: String::new(),
        };
        let deleting = async {
            // Every other round gives the plan some time.
            for _ in 0..round % 12 {
                tokio::task::yield_now().await;
            }
            hooks.delete_hook(request).await
        };
        let mut plan = fixtures::verified_shop(&["tcp"]);
        plan.spec.as_mut().unwrap().waves[1].verify[0].digest = digest.clone();
        let (applied, deleted) = tokio::join!(plans.update_plan(apply(plan)), deleting);
        assert_ne!(applied.is_ok(), deleted.is_ok(), "round {round}");
        assert_eq!(shelf.get(&digest).await.is_ok(), applied.is_ok());
    }
}
