//! The journal on DynamoDB: what only it promises, against a real DynamoDB
//! Local and against answers that this one does not give.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod answers;
mod failures;
mod lossy;
mod observed;
mod processes;
pub(crate) mod proxy;
mod replicas;
mod rubbish;
mod shelf;
mod sizes;
mod tables;
mod waiting;

use std::sync::Arc;

pub(crate) use self::processes::make_table;
use tidegate_gateway::ports::{cluster::Cluster, journal::Journal};
use tidegate_tests::{
    conformance::{cluster, holds},
    dynamodb::DynamoDbLocal,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn holds_on_dynamodb_conform() {
    let local = DynamoDbLocal::shared().await;
    holds::hold(async || Arc::new(local.journal().await) as Arc<dyn Journal>).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_cluster_on_dynamodb_conforms() {
    let local = DynamoDbLocal::shared().await;
    cluster::hold(async || Arc::new(local.journal().await) as Arc<dyn Cluster>).await;
}
