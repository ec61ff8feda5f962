//! A codec whose messages are encoded already.

use std::marker::PhantomData;

use bytes::{BufMut, Bytes};
use prost::Message;
use tonic::{
    Status,
    codec::{Codec, EncodeBuf, Encoder},
};
use tonic_prost::{ProstCodec, ProstDecoder};

/// Sends bytes as they are, and reads `Request` as every other codec does.
#[derive(Debug)]
pub(super) struct Encoded<Request>(PhantomData<Request>);

/// Copies the bytes into the connection's buffer.
#[derive(Debug)]
pub(super) struct Copier;

impl<Request> Default for Encoded<Request> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<Request: Message + Default + Send + 'static> Codec for Encoded<Request> {
    type Encode = Bytes;
    type Decode = Request;
    type Encoder = Copier;
    type Decoder = ProstDecoder<Request>;

    fn encoder(&mut self) -> Copier {
        Copier
    }

    fn decoder(&mut self) -> Self::Decoder {
        ProstCodec::<Request, Request>::default().decoder()
    }
}

impl Encoder for Copier {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, message: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(message);
        Ok(())
    }
}
