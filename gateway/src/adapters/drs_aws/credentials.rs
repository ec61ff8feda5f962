//! As whom DRS is called: the gateway's own identity, or a role of the target
//! that it assumes; and why a call has no credentials.
//!
//! The SDK keeps the credentials of a role and assumes it again before they
//! expire, so an execution may outlast any session.

use std::error::Error;

use aws_config::{SdkConfig, sts::AssumeRoleProvider};
use aws_sdk_drs::{
    config::{Region, SharedCredentialsProvider, http::HttpResponse},
    error::{ProvideErrorMetadata as _, SdkError},
};
use aws_sdk_sts::operation::assume_role::AssumeRoleError;
use tidegate_core::plan::Target;

use super::{
    advice,
    failure::{self, Failure},
    role_asked::RoleAsked,
    settings::Sessions,
};
use crate::adapters::aws_observed::Observed;

/// Key of the session tag that names the gateway.
const GATEWAY_TAG: &str = "tidegate:gateway";

/// The configuration of calls to a target. Of what is asked for its role,
/// somebody hears.
pub(super) async fn in_target(
    base: &SdkConfig,
    sessions: &Sessions,
    target: &Target,
    observed: Observed,
) -> SdkConfig {
    let region = Region::new(target.region.clone());
    let config = base.to_builder().region(region.clone()).build();
    let Some(role) = &target.role else {
        return config;
    };
    let mut role = AssumeRoleProvider::builder(role)
        .session_name(&sessions.name)
        .region(region)
        .configure(base);
    if let Some(external_id) = sessions.external_id(&target.account) {
        role = role.external_id(external_id);
    }
    if sessions.tagged {
        role = role.tags([(GATEWAY_TAG, sessions.name.as_str())]);
    }
    let provider = SharedCredentialsProvider::new(role.build().await);
    let kept = RoleAsked::around(base.identity_cache(), observed);
    let config = config.into_builder().credentials_provider(provider);
    config.identity_cache(kept).build()
}

/// A failure as a person can act on it, if it is one of credentials or of a
/// connection that cannot be made.
pub(super) fn explained(
    failure: Failure,
    error: &(dyn Error + 'static),
    target: &Target,
) -> Failure {
    let explain = |message: String| {
        let role = trouble_with_role(error, target);
        role.unwrap_or_else(|| unsent(&message, target))
    };
    match failure {
        Failure::NotSent { message } => Failure::NotSent {
            message: explain(message),
        },
        Failure::Lost { message } => Failure::Lost {
            message: explain(message),
        },
        Failure::Invalid { .. } | Failure::Answered { .. } => failure,
    }
}

/// Why the target's role was not assumed, if that is it.
fn trouble_with_role(error: &(dyn Error + 'static), target: &Target) -> Option<String> {
    type Refusal = SdkError<AssumeRoleError, HttpResponse>;
    let role = target.role.as_deref()?;
    let refusal = failure::sources(error).find_map(|it| it.downcast_ref::<Refusal>())?;
    let Some(answered) = refusal.as_service_error() else {
        let why = trouble_with_own_role(refusal)
            .unwrap_or_else(|| unsent(&failure::chain(refusal), target));
        return Some(format!("cannot ask STS for the role {role}: {why}"));
    };
    let code = answered.code();
    let message = answered.message().unwrap_or("no reason given");
    let said = format!(
        "cannot assume the role {role}: {}: {message}",
        code.unwrap_or("an error")
    );
    Some(advice::with(&said, advice::on_role(code, message)))
}

/// Why the gateway's profile gives it no role to ask with, if that is it.
fn trouble_with_own_role(refusal: &(dyn Error + 'static)) -> Option<String> {
    let mut causes = failure::sources(refusal).skip(1);
    let answered = causes.find_map(|it| it.downcast_ref::<AssumeRoleError>())?;
    let code = answered.code().unwrap_or("an error");
    let message = answered.message().unwrap_or("no reason given");
    let said = format!("the gateway's own profile cannot assume its role: {code}: {message}");
    Some(advice::with(&said, advice::ON_OWN_ROLE))
}

fn unsent(message: &str, target: &Target) -> String {
    if NO_CREDENTIALS.iter().any(|part| message.contains(part)) {
        tracing::debug!(message, "no credentials");
        return "no credentials were found; give the gateway credentials where AWS tools find \
                them: a role of its machine, a profile (AWS_PROFILE), or the environment"
            .to_owned();
    }
    match advice::on_no_connection(message, &target.region) {
        Some(advice) => advice::with(message, &advice),
        None => message.to_owned(),
    }
}

/// How the SDK says that nobody gave it credentials. Its type for that cannot
/// be named without a further dependency.
const NO_CREDENTIALS: [&str; 3] = [
    "the credential provider was not enabled",
    // From the second time on, of a profile that there is not.
    "profile file credentials provider initialization error already taken",
    "no providers in chain provided credentials",
];
