//! Making the table.

use std::{num::NonZeroU16, time::Duration};

use tidegate_gateway::{
    adapters::journal_dynamodb::{DynamoJournal, OpenError, create_table},
    ports::cluster::Cluster as _,
};
use tidegate_tests::dynamodb::DynamoDbLocal;

fn partitions(number: u16) -> NonZeroU16 {
    NonZeroU16::new(number).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_is_made_once_and_checked_afterwards() {
    let local = DynamoDbLocal::shared().await;
    let settings = local.settings();
    let refused = DynamoJournal::open(settings.clone()).await.unwrap_err();
    let text = refused.to_string();
    let command = format!("tidegate aws create-table --table {}", settings.table);
    assert!(text.contains(&command), "{text}");

    let made = create_table(&settings, partitions(7)).await.unwrap();
    assert!(made.is_new);
    assert_eq!(made.partitions, 7);
    let journal = DynamoJournal::open(settings.clone()).await.unwrap();
    assert_eq!(journal.partitions(), 7);
    let roster = journal
        .beat(&"a".into(), 1, Duration::from_secs(10))
        .await
        .unwrap();
    let lease = roster.leases[3].clone();
    assert!(journal.change(lease, Some("a".into())).await.unwrap());

    let again = create_table(&settings, partitions(9)).await.unwrap();
    assert!(!again.is_new);
    assert_eq!(again.partitions, 7, "executions keep their partitions");
    let roster = journal
        .beat(&"a".into(), 2, Duration::from_secs(10))
        .await
        .unwrap();
    assert_eq!(roster.leases.len(), 7);
    assert_eq!(roster.leases[3].owner, Some("a".into()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_of_something_else_is_neither_opened_nor_changed() {
    use aws_sdk_dynamodb::types::{
        AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
    };
    let local = DynamoDbLocal::shared().await;
    let settings = local.settings();
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version_latest()
        .region(aws_sdk_dynamodb::config::Region::new("us-east-1"))
        .endpoint_url(local.endpoint())
        .credentials_provider(aws_sdk_dynamodb::config::Credentials::new(
            "tidegate", "local", None, None, "test",
        ))
        .build();
    let client = aws_sdk_dynamodb::Client::from_conf(config);
    let attribute = AttributeDefinition::builder()
        .attribute_name("id")
        .attribute_type(ScalarAttributeType::N)
        .build();
    let key = KeySchemaElement::builder()
        .attribute_name("id")
        .key_type(KeyType::Hash)
        .build();
    let order = client.create_table().table_name(&settings.table);
    let order = order.billing_mode(BillingMode::PayPerRequest);
    let order = order.attribute_definitions(attribute.unwrap());
    order.key_schema(key.unwrap()).send().await.unwrap();

    for refused in [
        DynamoJournal::open(settings.clone()).await.map(drop),
        create_table(&settings, partitions(4)).await.map(drop),
    ] {
        match refused {
            Err(OpenError::NotAJournal { reason, .. }) => {
                assert!(reason.contains("its key is id (HASH, N)"), "{reason}");
            }
            other => panic!("{other:?}"),
        }
    }
}
