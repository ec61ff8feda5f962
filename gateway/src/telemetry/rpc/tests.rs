//! Calls before a service that answers at once.

use bytes::BufMut as _;
use futures::StreamExt as _;
use tower::{ServiceExt as _, service_fn};

use super::*;
use crate::{
    adapters::system_clock::SystemClock,
    telemetry::{Settings, Telemetry},
};

const START: &str = "/tidegate.v1.ExecutionService/StartExecution";

/// The body of a request, in these parts.
struct Parts(futures::stream::Iter<std::vec::IntoIter<Bytes>>);

impl HttpBody for Parts {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let part = self.0.poll_next_unpin(cx);
        part.map(|part| part.map(|part| Ok(Frame::data(part))))
    }
}

fn telemetry() -> Telemetry {
    Telemetry::begin(&Settings::for_tests(), Arc::new(SystemClock)).unwrap()
}

/// A message of gRPC.
fn message(id: &str) -> BytesMut {
    let request = v1::StartExecutionRequest {
        request_id: id.to_owned(),
        ..v1::StartExecutionRequest::default()
    };
    let encoded = request.encode_to_vec();
    let mut message = BytesMut::new();
    message.put_u8(0);
    message.put_u32(u32::try_from(encoded.len()).unwrap());
    message.extend_from_slice(&encoded);
    message
}

/// Calls a method whose service reads the whole request and answers so.
async fn call(telemetry: &Telemetry, path: &str, parts: Vec<Bytes>, status: Code) {
    let service = service_fn(move |request: http::Request<Peeked<Parts>>| async move {
        let mut body = request.into_body();
        while let Some(frame) = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await
        {
            frame.unwrap();
        }
        Ok::<_, Infallible>(tonic::Status::new(status, "").into_http::<Body>())
    });
    let request = http::Request::builder()
        .uri(path)
        .header(
            "traceparent",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        )
        .body(Parts(futures::stream::iter(parts)))
        .unwrap();
    let answer = telemetry.calls(service).oneshot(request).await;
    drop(answer.unwrap());
}

#[tokio::test]
async fn the_id_of_a_start_is_read_in_whatever_parts_it_comes() {
    let telemetry = telemetry();
    let whole = message("one").freeze();
    call(&telemetry, START, vec![whole.clone()], Code::Ok).await;
    let single = message("two").freeze();
    let single: Vec<Bytes> = (0..single.len()).map(|at| single.slice(at..=at)).collect();
    call(&telemetry, START, single, Code::Ok).await;
    let mut compressed = message("three");
    compressed[0] = 1;
    call(&telemetry, START, vec![compressed.freeze()], Code::Ok).await;
    let pause = "/tidegate.v1.ExecutionService/Pause";
    call(&telemetry, pause, vec![message("four").freeze()], Code::Ok).await;

    let requests = &telemetry.shared.requests;
    let trace = |id| requests.take(id).map(|span| span.trace[..2].to_vec());
    assert_eq!(trace("one"), Some(vec![0x0a, 0xf7]));
    assert_eq!(trace("two"), Some(vec![0x0a, 0xf7]));
    assert_eq!(trace("three"), None);
    assert_eq!(trace("four"), None);
}

#[tokio::test]
async fn calls_are_counted_by_method_and_answer_and_strange_methods_together() {
    let telemetry = telemetry();
    let get = "/tidegate.v1.PlanService/GetPlan";
    call(&telemetry, get, Vec::new(), Code::NotFound).await;
    call(&telemetry, get, Vec::new(), Code::Unavailable).await;
    for strange in ["/x.Y/Z", "/tidegate.v1.PlanService/Guess"] {
        call(&telemetry, strange, Vec::new(), Code::Unimplemented).await;
    }
    let text = telemetry.text().read().unwrap();
    let counted = |labels: &str| {
        let name = "rpc_server_call_duration_seconds_count";
        let line = format!("{name}{{{labels},rpc_system_name=\"grpc\"}}");
        let found = text.lines().find_map(|it| it.strip_prefix(&line));
        found
            .unwrap_or_else(|| panic!("{line}: {text}"))
            .trim()
            .to_owned()
    };
    let method = "rpc_method=\"tidegate.v1.PlanService/GetPlan\"";
    let not_found = format!("{method},rpc_response_status_code=\"NOT_FOUND\"");
    assert_eq!(counted(&not_found), "1");
    let failed = "error_type=\"UNAVAILABLE\"";
    let away = format!("{failed},{method},rpc_response_status_code=\"UNAVAILABLE\"");
    assert_eq!(counted(&away), "1");
    let strange = "error_type=\"UNIMPLEMENTED\",rpc_method=\"_OTHER\",rpc_response_status_code=\"UNIMPLEMENTED\"";
    assert_eq!(counted(strange), "2");
}
