//! `ListEvents`.

use prost::Message;
use tidegate_core::engine::Execution;
use tidegate_proto::v1;
use tonic::Status;

use super::steer;
use crate::grpc::{argument, convert::commit, page_token::List, services::Services, status};

/// Bytes after which a page ends early: a client reads 4 MiB at most.
const PAGE_BYTES: usize = 2 << 20;

pub(super) async fn list(
    services: &Services,
    request: &v1::ListEventsRequest,
) -> Result<v1::ListEventsResponse, Status> {
    let size = argument::page_size(request.page_size)?;
    let id = argument::execution_id("execution", &request.execution)?;
    let scope = id.as_str().as_bytes();
    let token = List::Events.number(scope, &request.page_token)?;
    let after = token.unwrap_or(request.after_revision);
    let newest = steer::find(services, id.as_str()).await?.revision;
    let begin = services.driver.view_at(&id, after).await;
    let begin = begin.map_err(|error| status::from_driver(error, None))?;

    let mut state: Execution = (*begin.execution).clone();
    let mut commits = Vec::new();
    let (mut revision, mut bytes) = (after, 0);
    while commits.len() < size && revision < newest && bytes < PAGE_BYTES {
        let records = services
            .driver
            .records(&id, revision, size - commits.len())
            .await;
        let records = records.map_err(|error| status::from_driver(error, None))?;
        if records.is_empty() {
            break;
        }
        for record in &records {
            if bytes >= PAGE_BYTES {
                break;
            }
            let shown = commit::commit(&mut state, &begin.origin, record);
            revision = record.revision;
            bytes += shown.encoded_len();
            commits.push(shown);
        }
    }
    let more = revision < newest && !commits.is_empty();
    Ok(v1::ListEventsResponse {
        commits,
        next_page_token: if more {
            List::Events.token(scope, &revision.to_string())
        } else {
            String::new()
        },
    })
}
