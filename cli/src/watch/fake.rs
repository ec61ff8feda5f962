//! A gateway that plays scripts: each Watch call gets the next one. For the
//! tests of the stream.

use std::sync::{Arc, Mutex};

use tidegate_proto::v1::{
    self, Change, Commit, Execution, WatchEnd, WatchEndReason, WatchHeader, WatchRequest,
    WatchResponse,
    execution_service_server::{ExecutionService, ExecutionServiceServer},
    watch_response::Message,
};
use tokio::net::TcpListener;
use tokio_stream::{Iter, wrappers::TcpListenerStream};
use tonic::{Request, Response, Status, transport::Server};

use crate::connect::Gateway;

/// What one Watch call is answered with; the stream ends after it.
pub(super) type Script = Vec<Result<WatchResponse, Status>>;

/// The scripts to come, and the cursors that were asked for.
#[derive(Clone, Default)]
pub(super) struct Fake {
    scripts: Arc<Mutex<Vec<Script>>>,
    asked: Arc<Mutex<Vec<Option<u64>>>>,
}

impl Fake {
    /// Serves these scripts, in this order.
    pub(super) async fn serve(scripts: Vec<Script>) -> (Self, Gateway) {
        let fake = Self {
            scripts: Arc::new(Mutex::new(scripts)),
            asked: Arc::default(),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = Server::builder().add_service(ExecutionServiceServer::new(fake.clone()));
        tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
        (fake, Gateway::plain(&format!("http://{address}")).unwrap())
    }

    /// The cursors of all Watch calls so far.
    pub(super) fn asked(&self) -> Vec<Option<u64>> {
        self.asked.lock().unwrap().clone()
    }
}

fn message(message: Message) -> Result<WatchResponse, Status> {
    Ok(WatchResponse {
        message: Some(message),
    })
}

/// A header whose snapshot has waves of these names.
pub(super) fn header(
    revision: u64,
    change_index: u64,
    waves: &[&str],
    complete: bool,
) -> Result<WatchResponse, Status> {
    let waves = waves.iter().map(|&name| v1::Wave {
        name: name.to_owned(),
        ..v1::Wave::default()
    });
    message(Message::Header(WatchHeader {
        snapshot: Some(Execution {
            waves: waves.collect(),
            ..Execution::default()
        }),
        revision,
        change_index,
        complete,
        ..WatchHeader::default()
    }))
}

/// A commit with these changes.
pub(super) fn commit(
    revision: u64,
    indices: std::ops::RangeInclusive<u64>,
    complete: bool,
) -> Result<WatchResponse, Status> {
    message(Message::Commit(Commit {
        revision,
        complete,
        changes: indices.map(|index| Change { index, kind: None }).collect(),
        ..Commit::default()
    }))
}

/// The last message.
pub(super) fn end(reason: WatchEndReason) -> Result<WatchResponse, Status> {
    message(Message::End(WatchEnd {
        reason: reason.into(),
        ..WatchEnd::default()
    }))
}

macro_rules! not_faked {
    ($($method:ident($request:ident) -> $response:ident),* $(,)?) => {
        #[tonic::async_trait]
        impl ExecutionService for Fake {
            type WatchStream = Iter<std::vec::IntoIter<Result<WatchResponse, Status>>>;
            type WatchAllStream = Iter<std::vec::IntoIter<Result<v1::WatchAllResponse, Status>>>;

            async fn watch(
                &self,
                request: Request<WatchRequest>,
            ) -> Result<Response<Self::WatchStream>, Status> {
                let after = request.into_inner().after_revision;
                self.asked.lock().unwrap().push(after);
                let mut scripts = self.scripts.lock().unwrap();
                if scripts.is_empty() {
                    return Err(Status::not_found("no script is left"));
                }
                Ok(Response::new(tokio_stream::iter(scripts.remove(0))))
            }

            async fn watch_all(
                &self,
                _: Request<v1::WatchAllRequest>,
            ) -> Result<Response<Self::WatchAllStream>, Status> {
                Err(Status::unimplemented("not faked"))
            }

            $(async fn $method(
                &self,
                _: Request<v1::$request>,
            ) -> Result<Response<v1::$response>, Status> {
                Err(Status::unimplemented("not faked"))
            })*
        }
    };
}

not_faked!(
    start_execution(StartExecutionRequest) -> StartExecutionResponse,
    pause(PauseRequest) -> PauseResponse,
    resume(ResumeRequest) -> ResumeResponse,
    cancel(CancelRequest) -> CancelResponse,
    retry_wave(RetryWaveRequest) -> RetryWaveResponse,
    skip_wave(SkipWaveRequest) -> SkipWaveResponse,
    clean_up(CleanUpRequest) -> CleanUpResponse,
    get_execution(GetExecutionRequest) -> GetExecutionResponse,
    list_executions(ListExecutionsRequest) -> ListExecutionsResponse,
    list_recovery_instances(ListRecoveryInstancesRequest) -> ListRecoveryInstancesResponse,
    list_events(ListEventsRequest) -> ListEventsResponse,
);
