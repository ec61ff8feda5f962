//! The last look before an order leaves this process: whether it may still be
//! sent.
//!
//! It comes after credentials were had and the request was signed, which may
//! have taken long. What comes after it is the connection and the network.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use aws_sdk_drs::{
    config::{
        ConfigBag, Intercept, RuntimeComponents, interceptors::BeforeTransmitInterceptorContextRef,
    },
    error::BoxError,
};
use aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint;

use super::failure::Failure;
use crate::ports::warrant::Warrant;

/// Keeps a request from being sent without a warrant.
#[derive(Clone, Debug)]
pub(super) struct Warranted {
    warrant: Warrant,
    refused: Arc<AtomicBool>,
}

impl Warranted {
    pub(super) fn by(warrant: &Warrant) -> Self {
        Self {
            warrant: warrant.clone(),
            refused: Arc::default(),
        }
    }

    /// What happened, if the request was kept back: not a byte was sent.
    pub(super) fn refusal(&self) -> Option<Failure> {
        let refused = self.refused.load(Ordering::SeqCst);
        refused.then(|| Failure::NotSent {
            message: TOO_LATE.to_owned(),
        })
    }
}

const TOO_LATE: &str = "when the call was ready, this gateway was not heard by its cluster for too \
                        long, and another one may drive the execution by now";

#[dyn_dispatch_hint]
impl Intercept for Warranted {
    fn name(&self) -> &'static str {
        "Warranted"
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if self.warrant.holds() {
            return Ok(());
        }
        self.refused.store(true, Ordering::SeqCst);
        Err(TOO_LATE.into())
    }
}
