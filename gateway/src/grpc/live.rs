//! Executions that are not over.

use tonic::Status;

use super::{services::Services, status};
use crate::driver::{DriverError, View};

/// How many heads are read at a time.
const PAGE: usize = 256;

/// Every execution that is not over, newest first.
pub(crate) async fn views(services: &Services) -> Result<Vec<View>, Status> {
    let mut views = Vec::new();
    let mut before = None;
    loop {
        let heads = services.journal.heads(before.as_ref(), true, PAGE).await;
        let heads = heads.map_err(|error| status::from_read(&error))?;
        let full = heads.len() == PAGE;
        for head in heads {
            match services.driver.view(&head.execution).await {
                Ok(view) if view.execution.state().is_terminal() => {}
                Ok(view) => views.push(view),
                // Nobody drives a damaged one; whoever asks for it is told.
                Err(DriverError::NotFound(_) | DriverError::Damaged(_)) => {}
                Err(error) => return Err(status::from_driver(error, None)),
            }
            before = Some(head.execution);
        }
        if !full {
            return Ok(views);
        }
    }
}
