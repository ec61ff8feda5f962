//! The wave engine of Tidegate: which servers are recovered when, and what
//! happens when something goes wrong.
//!
//! This crate decides, and does nothing else. It has no IO, no async, no
//! clock, no randomness and no dependencies; it builds without `std` for a
//! microcontroller and for WebAssembly.
//!
//! # Three nouns
//! - An [`Event`](engine::Event) is what was heard from outside: a person's
//!   request, an answer, the time.
//! - A [`Change`](engine::Change) is what was decided. It is journaled,
//!   watched, audited and replayed.
//! - A [`CommandId`](engine::CommandId) names something that is wanted from
//!   outside. It is data; what it is about is read from the state.
//!
//! # The loop of whoever drives it
//! 1. Take one event and call [`decide`](engine::Execution::decide). A
//!    request that the state forbids is a
//!    [`Rejection`](engine::Rejection); nothing else is an error.
//! 2. Make the changes durable, with the instant at which they were decided.
//! 3. [`apply`](engine::Execution::apply) them in order, at that instant.
//! 4. Carry out what became [`outstanding`](engine::Execution::outstanding),
//!    and let whatever comes of it be the next event. An
//!    [`Admit`](engine::CommandId::Admit) that is answered at once may be
//!    decided before step 2, so that both are one record.
//! 5. Wake at the [`next_deadline`](engine::Execution::next_deadline) with
//!    [`Event::Tick`](engine::Event::Tick).
//!
//! After a crash: fold the journal, feed
//! [`Event::OwnerChanged`](engine::Event::OwnerChanged), go on at step 2. The
//! same commands come back under the same ids; a launch whose answer was not
//! recorded comes back as a look instead, because DRS has no client token and
//! must not be asked twice.
//!
//! # Example
//! ```
//! use std::sync::Arc;
//! use tidegate_core::{
//!     ExecutionId, Timestamp,
//!     engine::{CommandId, Event, Execution, ExecutionState, Genesis, Kind, Settings},
//!     plan::{DraftGroup, DraftServer, DraftTarget, DraftWave, Limits, Plan, PlanDraft},
//! };
//!
//! let draft = PlanDraft {
//!     name: "shop".into(),
//!     target: Some(DraftTarget {
//!         account: "123456789012".into(),
//!         region: "us-west-2".into(),
//!         role: String::new(),
//!     }),
//!     waves: vec![DraftWave {
//!         name: "database".into(),
//!         groups: vec![DraftGroup {
//!             servers: vec![DraftServer {
//!                 id: "s-1111aaaa2222bbbb3".into(),
//!                 ..DraftServer::default()
//!             }],
//!             ..DraftGroup::default()
//!         }],
//!         ..DraftWave::default()
//!     }],
//!     ..PlanDraft::default()
//! };
//! let plan = Plan::check(&draft, &Limits::default()).expect("the plan has no mistakes");
//! let now = Timestamp::from_millis(1_000);
//! let genesis = Genesis {
//!     id: ExecutionId::from("01jd0000000000000000000000"),
//!     kind: Kind::Drill,
//!     plan: Arc::new(plan),
//!     created_at: now,
//! };
//! let mut execution = Execution::new(genesis, Settings::default());
//! let hear = |execution: &mut Execution, event| {
//!     for change in execution.decide(event, now).expect("nothing forbids it") {
//!         execution.apply(&change, now);
//!     }
//! };
//! hear(&mut execution, Event::Start);
//! assert_eq!(execution.state(), ExecutionState::Running);
//! let [command @ CommandId::Admit { .. }] = execution.outstanding()[..] else {
//!     panic!("the launch waits for its turn");
//! };
//! hear(&mut execution, Event::Admitted { command });
//! assert!(matches!(execution.outstanding()[..], [CommandId::Launch { .. }]));
//! ```
#![no_std]
#![warn(
    clippy::std_instead_of_core,
    clippy::std_instead_of_alloc,
    clippy::alloc_instead_of_core
)]

extern crate alloc;

pub mod engine;
mod id;
pub mod plan;
mod time;

pub use id::{
    EndpointIx, EndpointName, ExecutionId, HookIx, HookName, InstanceId, JobId, LaunchIx, OwnerId,
    PlanName, ServerIx, SnapshotId, SourceServerId, WaveIx, WaveName,
};
pub use time::{Span, Timestamp};
