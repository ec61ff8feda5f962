//! AssumeRole, as others hear of it.
//!
//! The SDK asks for a role with a client of its own, which takes no
//! interceptor. But it asks only when no session is kept that lasts, so it is
//! seen from where sessions are kept: what was asked there, and what came of
//! it, is one request, whatever was tried again within; finding the gateway's
//! own credentials for it is a part of its time.

use std::error::Error;

use aws_config::identity::IdentityCache;
use aws_sdk_drs::{
    config::{ConfigBag, RuntimeComponents, http::HttpResponse},
    error::{BoxError, ProvideErrorMetadata as _, SdkError},
};
use aws_sdk_sts::operation::assume_role::AssumeRoleError;
use aws_smithy_runtime_api::client::identity::{
    IdentityCacheLocation, IdentityCachePartition, IdentityFuture, ResolveCachedIdentity,
    ResolveIdentity, SharedIdentityCache, SharedIdentityResolver,
};

use super::failure;
use crate::adapters::aws_observed::{End, Observed, UnderWay};

/// Where sessions are kept, and who hears when one is asked for.
#[derive(Debug)]
pub(super) struct RoleAsked {
    kept: SharedIdentityCache,
    observed: Observed,
}

impl RoleAsked {
    pub(super) fn around(kept: Option<SharedIdentityCache>, observed: Observed) -> Self {
        let kept = kept.unwrap_or_else(|| IdentityCache::lazy().build());
        Self { kept, observed }
    }
}

impl ResolveCachedIdentity for RoleAsked {
    fn resolve_cached_identity<'a>(
        &'a self,
        resolver: SharedIdentityResolver,
        components: &'a RuntimeComponents,
        config: &'a ConfigBag,
    ) -> IdentityFuture<'a> {
        let asked = SharedIdentityResolver::new(Asked {
            resolver,
            observed: self.observed.clone(),
        });
        self.kept.resolve_cached_identity(asked, components, config)
    }
}

/// Asks for one session.
#[derive(Debug)]
struct Asked {
    resolver: SharedIdentityResolver,
    observed: Observed,
}

impl ResolveIdentity for Asked {
    fn resolve_identity<'a>(
        &'a self,
        components: &'a RuntimeComponents,
        config: &'a ConfigBag,
    ) -> IdentityFuture<'a> {
        IdentityFuture::new(async move {
            let begun = self.observed.begins("STS", "AssumeRole");
            let answer = self.resolver.resolve_identity(components, config).await;
            if let Some(begun) = begun {
                tell(&*begun, answer.as_ref().err());
            }
            answer
        })
    }

    fn cache_location(&self) -> IdentityCacheLocation {
        self.resolver.cache_location()
    }

    /// The same as without this, so that what is kept is found.
    fn cache_partition(&self) -> Option<IdentityCachePartition> {
        Some(self.resolver.cache_partition())
    }
}

fn tell(begun: &dyn UnderWay, error: Option<&BoxError>) {
    type Refusal = SdkError<AssumeRoleError, HttpResponse>;
    let Some(error) = error else {
        return begun.ended(&End {
            status: Some(200),
            error: None,
            request_id: None,
        });
    };
    let error: &(dyn Error + 'static) = error.as_ref();
    let refusal = failure::sources(error).find_map(|it| it.downcast_ref::<Refusal>());
    let raw = refusal.and_then(SdkError::raw_response);
    let code = refusal.and_then(|refusal| refusal.as_service_error()?.code());
    begun.ended(&End {
        status: raw.map(|raw| raw.status().as_u16()),
        error: code,
        request_id: raw.and_then(|raw| raw.headers().get("x-amzn-requestid")),
    });
}
