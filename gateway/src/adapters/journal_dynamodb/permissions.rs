//! What the calls of this adapter need to be permitted, to the gateway's own
//! role.
//!
//! A transaction needs the permissions of its parts and none of its own
//! (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html>).

use super::keys::LIVE;
use crate::adapters::aws_grant::{
    Grant,
    On::{Index, Table},
};

/// Keeping a journal in a table.
pub const KEEPING: &[Grant] = &[
    Grant::on(
        "KeepTheJournal",
        &[
            "dynamodb:GetItem",
            "dynamodb:PutItem",
            "dynamodb:UpdateItem",
            "dynamodb:DeleteItem",
            "dynamodb:Query",
            "dynamodb:DescribeTable",
            "dynamodb:DescribeContinuousBackups",
            "dynamodb:DescribeTimeToLive",
        ],
        Table,
        &[],
    ),
    Grant::on("ListWhatIsLive", &["dynamodb:Query"], Index(LIVE), &[]),
];

/// Making the table, with `tidegate aws create-table`.
pub const MAKING: &[Grant] = &[Grant::on(
    "MakeTheTable",
    &[
        "dynamodb:CreateTable",
        "dynamodb:UpdateContinuousBackups",
        "dynamodb:UpdateTimeToLive",
        "dynamodb:DescribeTable",
        "dynamodb:DescribeContinuousBackups",
        "dynamodb:DescribeTimeToLive",
        "dynamodb:GetItem",
        "dynamodb:PutItem",
    ],
    Table,
    &[],
)];
