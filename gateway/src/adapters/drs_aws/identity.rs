//! As whom AWS knows whoever calls in a target, and what time it is there.

use std::{
    env,
    sync::{Arc, Mutex, PoisonError},
};

use aws_sdk_drs::{
    config::{
        ConfigBag, Intercept, RuntimeComponents, interceptors::FinalizerInterceptorContextRef,
    },
    error::BoxError,
};
use aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint;
use aws_smithy_types::{DateTime, date_time::Format};
use tidegate_core::{Timestamp, plan::Target};

use super::clients::{Clients, Place};
use crate::adapters::aws_observed::Observed;
use crate::ports::drs::{Caller, DrsError, Introduction};

/// Calls GetCallerIdentity, which needs no permission. `None` if what plays
/// DRS is no part of the AWS that would be asked.
pub(super) async fn introduction(clients: &Clients, target: &Target) -> Option<Introduction> {
    let shared = clients.shared(target).await;
    if shared.endpoint_url().is_none() && is_elsewhere("AWS_ENDPOINT_URL_STS") {
        return None;
    }
    let told = Told::default();
    let config = aws_sdk_sts::config::Builder::from(&shared)
        .interceptor(Observed::of(&clients.observer, target))
        .interceptor(told.clone())
        .build();
    let place = clients.place(target).await;
    let client = aws_sdk_sts::Client::from_conf(config);
    Some(Introduction {
        caller: caller(&client, &place).await,
        aws_time: told.get(),
    })
}

/// Whether the environment names another DRS than that of the Region, and by
/// this variable no other service that would know the same accounts.
pub(super) fn is_elsewhere(variable: &str) -> bool {
    let is_set = |name| env::var_os(name).is_some();
    is_set("AWS_ENDPOINT_URL_DRS") && !is_set(variable)
}

async fn caller(client: &aws_sdk_sts::Client, place: &Place) -> Result<Caller, DrsError> {
    const OPERATION: &str = "GetCallerIdentity";
    let answer = client.get_caller_identity().send().await;
    let answer = answer.map_err(|error| place.failed(OPERATION, &error))?;
    let (Some(account), Some(arn)) = (answer.account, answer.arn) else {
        return Err(DrsError::Failed {
            operation: OPERATION,
            target: place.name.clone(),
            message: "the answer names no account".to_owned(),
        });
    };
    Ok(Caller { account, arn })
}

/// What the answers to a call say of the time, errors included.
#[derive(Clone, Debug, Default)]
struct Told(Arc<Mutex<Option<Timestamp>>>);

impl Told {
    fn get(&self) -> Option<Timestamp> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[dyn_dispatch_hint]
impl Intercept for Told {
    fn name(&self) -> &'static str {
        "Told"
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let date = context.response().and_then(|it| it.headers().get("date"));
        if let Some(at) = date.and_then(instant) {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(at);
        }
        Ok(())
    }
}

/// An instant as HTTP writes it.
fn instant(text: &str) -> Option<Timestamp> {
    let at = DateTime::from_str(text, Format::HttpDate).ok()?;
    let millis = u64::try_from(at.to_millis().ok()?).ok()?;
    Some(Timestamp::from_millis(millis))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_an_answer_is_read_as_http_writes_it() {
        let told = instant("Tue, 14 Nov 2023 22:13:20 GMT");
        assert_eq!(told, Some(Timestamp::from_millis(1_700_000_000_000)));
        assert_eq!(instant("soon"), None);
    }
}
