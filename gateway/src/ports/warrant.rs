//! Until when an order may be sent.

use std::{fmt, sync::Arc};

type Check = dyn Fn() -> bool + Send + Sync;

/// Says whether an order may still be sent: nobody else can have taken over
/// what it belongs to. It is asked as late as possible, since whatever comes
/// before the sending (credentials, a client, an earlier call) may take long,
/// and the whole process may be stopped meanwhile.
#[derive(Clone, Default)]
pub struct Warrant(Option<Arc<Check>>);

impl Warrant {
    /// One that holds for ever: nobody else could take over.
    #[must_use]
    pub fn unlimited() -> Self {
        Self(None)
    }

    /// One that holds while this says so.
    #[must_use]
    pub fn new(check: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(check)))
    }

    /// Whether the order may be sent now.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.0.as_ref().is_none_or(|check| check())
    }
}

impl fmt::Debug for Warrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Warrant").finish_non_exhaustive()
    }
}
