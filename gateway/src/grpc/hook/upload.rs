//! A component on its way here: no more bytes than were announced, and in the
//! end no fewer.

use bytes::{Bytes, BytesMut};
use futures::{Stream, StreamExt as _};
use tidegate_proto::v1;
use tonic::Status;

use super::find;
use crate::grpc::status;

/// Most bytes of a component.
pub(super) const MAX_BYTES: u64 = 32 << 20;

/// A component, and the digest that was announced for it.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) digest: String,
    pub(super) bytes: Bytes,
}

/// Reads all messages of an upload.
pub(super) async fn receive(
    mut messages: impl Stream<Item = Result<v1::RegisterHookRequest, Status>> + Unpin,
) -> Result<Received, Status> {
    let Some(first) = messages.next().await else {
        return Err(status::invalid(
            "digest",
            "must be given in a first message",
        ));
    };
    let mut upload = Upload::begin(&first?)?;
    while let Some(next) = messages.next().await {
        upload.go_on(&next?)?;
    }
    upload.finish()
}

struct Upload {
    digest: String,
    size: usize,
    bytes: BytesMut,
}

impl Upload {
    fn begin(first: &v1::RegisterHookRequest) -> Result<Self, Status> {
        let digest = find::digest("digest", &first.digest)?;
        let size = match first.size_bytes {
            0 => return Err(status::invalid("size_bytes", "must be given")),
            size if size > MAX_BYTES => {
                let message = format!("is {size}; a hook has at most {MAX_BYTES} bytes");
                return Err(status::invalid("size_bytes", message));
            }
            size => usize::try_from(size).unwrap_or(usize::MAX),
        };
        let mut upload = Self {
            digest: digest.to_owned(),
            size,
            // Grows with what comes: to announce much costs nothing here.
            bytes: BytesMut::new(),
        };
        upload.add(&first.data)?;
        Ok(upload)
    }

    fn go_on(&mut self, next: &v1::RegisterHookRequest) -> Result<(), Status> {
        if !next.digest.is_empty() && next.digest != self.digest {
            let message = "is another one than in the first message";
            return Err(status::invalid("digest", message));
        }
        if next.size_bytes != 0 && next.size_bytes != self.size as u64 {
            let message = "is another one than in the first message";
            return Err(status::invalid("size_bytes", message));
        }
        self.add(&next.data)
    }

    fn add(&mut self, data: &[u8]) -> Result<(), Status> {
        if data.len() > self.size - self.bytes.len() {
            let message = format!("has more bytes than the {} of size_bytes", self.size);
            return Err(status::invalid("data", message));
        }
        self.bytes.extend_from_slice(data);
        Ok(())
    }

    fn finish(self) -> Result<Received, Status> {
        if self.bytes.len() < self.size {
            let message = format!(
                "ended after {} bytes of the {} of size_bytes",
                self.bytes.len(),
                self.size
            );
            return Err(status::invalid("data", message));
        }
        Ok(Received {
            digest: self.digest,
            bytes: self.bytes.freeze(),
        })
    }
}

#[cfg(test)]
mod tests {
    use tokio_stream::iter;
    use tonic::Code;
    use tonic_types::StatusExt;

    use super::*;

    fn message(digest: &str, size_bytes: u64, data: &[u8]) -> v1::RegisterHookRequest {
        v1::RegisterHookRequest {
            digest: digest.to_owned(),
            size_bytes,
            data: data.to_vec(),
        }
    }

    fn digest() -> String {
        format!("sha256:{}", "0".repeat(64))
    }

    async fn refused(messages: Vec<v1::RegisterHookRequest>) -> (String, String) {
        let status = receive(iter(messages.into_iter().map(Ok)))
            .await
            .unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
        let mut bad = status.get_details_bad_request().unwrap().field_violations;
        let violation = bad.remove(0);
        (violation.field, violation.description)
    }

    #[tokio::test]
    async fn the_bytes_come_together_in_order() {
        let messages = [
            message(&digest(), 5, b"ab"),
            message("", 0, b""),
            message(&digest(), 5, b"cde"),
        ];
        let received = receive(iter(messages.map(Ok))).await.unwrap();
        assert_eq!(received.digest, digest());
        assert_eq!(&received.bytes[..], b"abcde");
    }

    #[tokio::test]
    async fn what_is_wrong_is_said_with_its_field() {
        let digest = digest();
        let first = |size, data| message(&digest, size, data);
        let cases = [
            (vec![], "digest"),
            (vec![message("", 1, b"a")], "digest"),
            (vec![message("sha256:0", 1, b"a")], "digest"),
            (vec![first(0, b"")], "size_bytes"),
            (vec![first(MAX_BYTES + 1, b"")], "size_bytes"),
            (vec![first(u64::MAX, b"")], "size_bytes"),
            (vec![first(1, b"ab")], "data"),
            (vec![first(2, b"ab"), message("", 0, b"c")], "data"),
            (vec![first(2, b"a")], "data"),
            (vec![first(2, b"a"), message("", 3, b"b")], "size_bytes"),
            (vec![first(2, b"a"), message("x", 0, b"b")], "digest"),
        ];
        for (messages, field) in cases {
            let asked = format!("{messages:?}");
            assert_eq!(refused(messages).await.0, field, "{asked}");
        }
    }

    #[tokio::test]
    async fn a_hook_that_is_too_large_is_refused_before_its_bytes_are_read() {
        let first = message(&digest(), MAX_BYTES + 1, b"");
        let messages = iter([Ok(first)]).chain(futures::stream::pending());
        let refused = receive(messages).await.unwrap_err();
        assert!(refused.message().contains("33554432"), "{refused}");
    }
}
