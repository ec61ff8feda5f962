//! What every client verb has: a gateway to ask and a printer to answer with.

use crate::{connect::Gateway, print::Printer};

/// One run of a client verb.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    /// Whom to ask.
    pub(crate) gateway: Gateway,
    /// Where to answer.
    pub(crate) printer: Printer,
}
