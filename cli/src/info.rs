//! `tidegate info`.

use tidegate_proto::v1::{GetGatewayInfoRequest, GetGatewayInfoResponse};

use crate::{
    failure::{Exit, Failure},
    print::table,
    session::Session,
};

/// Shows what the gateway is and what it allows.
pub(crate) async fn run(session: &Session) -> Result<Exit, Failure> {
    let info = session
        .gateway
        .ask(async || {
            let mut gateway = session.gateway.itself();
            gateway.get_gateway_info(GetGatewayInfoRequest {}).await
        })
        .await?;
    session.printer.one(&info, &info.version, as_table)?;
    Ok(Exit::Ok)
}

fn as_table(info: &GetGatewayInfoResponse) -> String {
    let limits = info.limits.unwrap_or_default();
    let rows = [
        ("version", info.version.clone()),
        ("client", env!("CARGO_PKG_VERSION").to_owned()),
        ("drs", info.drs.clone()),
        ("journal", info.journal.clone()),
        ("waves per plan", limits.waves_per_plan.to_string()),
        ("servers per plan", limits.servers_per_plan.to_string()),
        ("bytes per request", limits.request_bytes.to_string()),
        ("entries per page", limits.page_size.to_string()),
        (
            "streams per connection",
            limits.streams_per_connection.to_string(),
        ),
        ("live executions", limits.live_executions.to_string()),
    ];
    let rows = rows.map(|(what, value)| [what.to_owned(), value]);
    table(["GATEWAY", ""], rows)
}
