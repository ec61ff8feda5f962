//! `ListHooks`.

use std::cmp::Reverse;

use prost::Message;
use tidegate_core::Timestamp;
use tidegate_proto::v1;
use tonic::Status;

use super::{find, usage::Usage};
use crate::{
    grpc::{
        argument, convert,
        page_token::{List, not_a_token},
        services::Services,
    },
    ports::hooks::HookInfo,
};

/// Bytes of hooks in a page, except that it has at least one hook: a client
/// reads 4 MiB at most.
const PAGE_BYTES: usize = 2 << 20;

pub(super) async fn list(
    services: &Services,
    request: &v1::ListHooksRequest,
) -> Result<v1::ListHooksResponse, Status> {
    let size = argument::page_size(request.page_size)?;
    let key = List::Hooks.key(&[], &request.page_token)?;
    let after = key.map(|key| Place::read(&key).ok_or_else(not_a_token));
    let after = after.transpose()?;
    let usage = Usage::read(services).await?;
    find::refresh(services).await?;
    let mut known = services.hooks.list();
    known.sort_by_key(Place::of);
    let rest = known.iter().filter(|info| {
        let after = after.as_ref();
        after.is_none_or(|after| Place::of(info) > *after)
    });
    Ok(page(rest, &usage, size))
}

fn page<'a>(
    rest: impl Iterator<Item = &'a HookInfo>,
    usage: &Usage,
    size: usize,
) -> v1::ListHooksResponse {
    let mut page = v1::ListHooksResponse::default();
    let mut last = None;
    let mut bytes = 0;
    for info in rest {
        let shown = convert::stored_hook::hook(info, usage.of(&info.digest));
        bytes += shown.encoded_len();
        if let Some(last) = last
            && (page.hooks.len() == size || bytes > PAGE_BYTES)
        {
            page.next_page_token = List::Hooks.token(&[], &Place::of(last).written());
            return page;
        }
        page.hooks.push(shown);
        last = Some(info);
    }
    page
}

/// A hook's place in the list: by name, then the newest first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    name: String,
    created_at: Reverse<Timestamp>,
    digest: Reverse<String>,
}

impl Place {
    fn of(info: &HookInfo) -> Self {
        Self {
            name: info.name.clone(),
            created_at: Reverse(info.created_at),
            digest: Reverse(info.digest.clone()),
        }
    }

    /// As it stands in a token; neither a digest nor a time has a slash.
    fn written(&self) -> String {
        let millis = self.created_at.0.as_millis();
        format!("{millis}/{}/{}", self.digest.0, self.name)
    }

    fn read(key: &str) -> Option<Self> {
        let mut parts = key.splitn(3, '/');
        let millis = parts.next()?.parse().ok()?;
        Some(Self {
            created_at: Reverse(Timestamp::from_millis(millis)),
            digest: Reverse(parts.next()?.to_owned()),
            name: parts.next()?.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grpc::fixtures;

    fn info(name: &str, created_at: u64, digest: &str) -> HookInfo {
        HookInfo {
            created_at: Timestamp::from_millis(created_at),
            digest: digest.to_owned(),
            ..fixtures::hook_info(name)
        }
    }

    #[test]
    fn a_place_survives_its_token() {
        let place = Place::of(&info("a/b", 7, "sha256:0"));
        assert_eq!(Place::read(&place.written()), Some(place));
        for wrong in ["", "x", "1", "1/sha256:0", "x/sha256:0/a"] {
            assert_eq!(Place::read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn hooks_are_listed_by_name_and_the_newest_of_a_name_first() {
        let mut hooks = [
            info("tcp", 1, "a"),
            info("tcp", 2, "b"),
            info("dns", 1, "c"),
            info("tcp", 2, "d"),
        ];
        hooks.sort_by_key(Place::of);
        let digests: Vec<&str> = hooks.iter().map(|it| it.digest.as_str()).collect();
        assert_eq!(digests, ["c", "d", "b", "a"]);
    }

    #[test]
    fn a_page_ends_where_it_is_full() {
        let large = |name| HookInfo {
            description: "x".repeat(PAGE_BYTES / 2),
            ..info(name, 1, name)
        };
        let hooks = [large("a"), large("b"), info("c", 1, "c")];
        let usage = Usage::default();
        let lengths = |size| {
            let page = page(hooks.iter(), &usage, size);
            (page.hooks.len(), page.next_page_token.is_empty())
        };
        assert_eq!(lengths(100), (1, false), "by its bytes");
        let small = page(hooks[2..].iter(), &usage, 1);
        assert_eq!((small.hooks.len(), small.next_page_token.as_str()), (1, ""));
        assert_eq!(lengths(1), (1, false), "by their number");
    }
}
