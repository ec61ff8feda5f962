//! gRPC without messages: any bytes to any method.

use std::str::FromStr as _;

use bytes::{Buf as _, BufMut as _, Bytes};
use tonic::{
    Request, Status,
    client::Grpc,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    codegen::http::uri::PathAndQuery,
    transport::Channel,
};

/// `HealthCheckResponse {status: SERVING}`.
const SERVING: &[u8] = &[8, 1];

/// The answer to one message of these bytes.
pub(super) async fn call(address: &str, method: &str, message: &[u8]) -> Result<Bytes, Status> {
    let channel = Channel::from_shared(address.to_owned())
        .expect("an address")
        .connect()
        .await
        .expect("the gateway answers");
    let mut grpc = Grpc::new(channel);
    grpc.ready().await.expect("the connection is open");
    let path = PathAndQuery::from_str(method).expect("a path");
    let request = Request::new(Bytes::copy_from_slice(message));
    let answer = grpc.unary(request, path, AnyBytes).await?;
    Ok(answer.into_inner())
}

/// The gateway must answer, and say that it serves.
pub(super) async fn assert_serving(address: &str) {
    let answer = call(address, "/grpc.health.v1.Health/Check", &[]).await;
    assert_eq!(answer.expect("health is told"), SERVING);
}

#[derive(Clone, Copy, Debug)]
struct AnyBytes;

impl Codec for AnyBytes {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        *self
    }

    fn decoder(&mut self) -> Self {
        *self
    }
}

impl Encoder for AnyBytes {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(item);
        Ok(())
    }
}

impl Decoder for AnyBytes {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining())))
    }
}
