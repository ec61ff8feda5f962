//! `ListExecutions`.

use prost::Message;
use tidegate_core::ExecutionId;
use tidegate_proto::v1;
use tonic::Status;

use crate::{
    driver::Listed,
    grpc::{
        argument, convert::summary::summary, filter::Filter, page_token::List, services::Services,
        status,
    },
    ports::journal::{Head, ReadError},
};

/// Executions that are looked at for one page. A filter that matches fewer
/// gives a short page, and the token to go on.
const LOOKED_AT: usize = 5_000;
/// Executions that are read at once.
const CHUNK: usize = 250;

pub(super) async fn list(
    services: &Services,
    request: &v1::ListExecutionsRequest,
) -> Result<v1::ListExecutionsResponse, Status> {
    let size = argument::page_size(request.page_size)?;
    let filter = Filter::read(request.filter.as_ref())?;
    let scope = request.filter.clone().unwrap_or_default().encode_to_vec();
    let key = List::Executions.key(&scope, &request.page_token)?;
    let mut page = Page {
        executions: Vec::new(),
        before: key.as_deref().map(ExecutionId::from),
    };
    let more = page.fill(services, &filter, size).await?;
    Ok(v1::ListExecutionsResponse {
        next_page_token: page
            .before
            .filter(|_| more)
            .map(|last| List::Executions.token(&scope, last.as_str()))
            .unwrap_or_default(),
        executions: page.executions,
    })
}

struct Page {
    executions: Vec<v1::ExecutionSummary>,
    /// The last execution that was looked at.
    before: Option<ExecutionId>,
}

impl Page {
    /// Looks at executions until the page is full; says whether there may be
    /// more.
    async fn fill(
        &mut self,
        services: &Services,
        filter: &Filter,
        size: usize,
    ) -> Result<bool, Status> {
        for _ in 0..LOOKED_AT / CHUNK {
            let listed = services.driver.list(self.before.as_ref(), CHUNK).await;
            let listed = listed.map_err(|error| status::from_driver(error, None))?;
            let full = listed.len() == CHUNK;
            for entry in listed {
                if self.executions.len() == size {
                    return Ok(true);
                }
                let (id, shown) = read(&entry)?;
                self.before = Some(id);
                if filter.matches(&shown) {
                    self.executions.push(shown);
                }
            }
            if !full {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// An execution of a list, and its summary.
pub(super) fn read(entry: &Listed) -> Result<(ExecutionId, v1::ExecutionSummary), Status> {
    match entry {
        Listed::Live(view) => Ok((view.execution.id().clone(), summary(view))),
        Listed::Ended(head) => Ok((head.execution.clone(), written(head)?)),
        Listed::Damaged { head, why } => {
            let mut shown = written(head)?;
            shown.state_detail = format!("the journal is damaged: {why}");
            Ok((head.execution.clone(), shown))
        }
    }
}

/// A summary as it was written.
fn written(head: &Head) -> Result<v1::ExecutionSummary, Status> {
    v1::ExecutionSummary::decode(head.summary.clone()).map_err(|error| {
        let what = format!("the summary of execution {}: {error}", head.execution);
        status::from_read(&ReadError::Damaged(what))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grpc::{encode_summary, fixtures};

    #[test]
    fn a_damaged_execution_is_shown_as_it_began_and_says_what_is_wrong() {
        let view = fixtures::view();
        let head = Head {
            execution: view.execution.id().clone(),
            live: true,
            summary: encode_summary(&view),
        };
        let why = "record 2 does not fit".to_owned();

        let (id, shown) = read(&Listed::Damaged { head, why }).expect("its summary is whole");

        assert_eq!(id, *view.execution.id());
        assert_eq!(
            shown.state_detail,
            "the journal is damaged: record 2 does not fit"
        );
        assert_eq!(shown.state, summary(&view).state);
    }
}
