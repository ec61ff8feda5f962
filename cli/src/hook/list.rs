//! `tidegate hook list`.

use tidegate_proto::v1::{Hook, ListHooksRequest, ListHooksResponse};

use super::{described, numbers};
use crate::{
    failure::{Exit, Failure},
    print::table,
    session::Session,
    time,
};

/// The API's largest page.
const PAGE: i32 = 1_000;

/// Lists registered hooks by name, the newest of a name first.
pub(super) async fn run(session: &Session) -> Result<Exit, Failure> {
    let mut whole = ListHooksResponse::default();
    let mut request = ListHooksRequest {
        page_size: PAGE,
        page_token: String::new(),
    };
    loop {
        let page = session
            .gateway
            .ask(async || {
                let mut hooks = session.gateway.hooks();
                hooks.list_hooks(request.clone()).await
            })
            .await?;
        whole.hooks.extend(page.hooks);
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    session
        .printer
        .list(&whole, &whole.hooks, |hook| hook.name.clone(), as_table)?;
    Ok(Exit::Ok)
}

fn as_table(hooks: &[Hook]) -> String {
    let rows = hooks.iter().map(|hook| {
        [
            hook.name.clone(),
            hook.version.clone(),
            hook.digest.clone(),
            described::phases(hook),
            numbers::bytes(hook.size_bytes),
            time::instant(hook.create_time),
            hook.used_by.join(", "),
        ]
    });
    let heading = [
        "NAME",
        "VERSION",
        "DIGEST",
        "PHASES",
        "SIZE",
        "REGISTERED",
        "USED BY",
    ];
    table(heading, rows)
}
