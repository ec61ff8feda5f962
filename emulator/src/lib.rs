//! A DRS (AWS Elastic Disaster Recovery) that runs on a laptop.
//!
//! Three layers, of which a lower one knows nothing of the upper:
//!
//! 1. [`model`]: a pure model of jobs, launches, quotas and time. No IO, no async, no clock, no
//!    global randomness: `now` and the seed are arguments. It can be used alone, by a
//!    deterministic simulation for example.
//! 2. [`faults`]: a pure judge of calls, which says by rules what goes wrong. Its page is the
//!    manual of faults.
//! 3. The rest: [`Scenario`]s to begin with, an [`EmulatorClock`], and the service's own REST-JSON
//!    protocol ([`serve`], [`router`]), so that any AWS SDK can talk to it.
//!
//! ```
//! use tidegate_emulator::{Emulator, EmulatorClock, Scenario, Settings};
//!
//! let scenario = Scenario::built_in("shop").expect("it is built in");
//! let emulator = Emulator::new(Settings { scenario, clock: EmulatorClock::Manual });
//! assert!(emulator.launches().is_empty());
//! ```
//!
//! # What a caller has to know
//! - The Region is that of the SigV4 credential scope. An access key id of 12 digits is the
//!   account; any other key is the scenario's default account. Signatures are not verified.
//! - Everything is in memory, and gone when the process ends.
//! - What happens to a job is fixed by the scenario and its seed when the job is accepted.
//!
//! # Health checks
//! Recovery instances have private addresses at which nothing listens. Those of a scenario that
//! [listens](Scenario::listening_on) have loopback addresses instead, one for each launch, and
//! [`serve`] really listens there on the ports of their [`Workload`](model::Workload)s, from when
//! they are launched and ready until they are terminated. That needs Linux, which answers on all of
//! 127.0.0.0/8.
//!
//! # What it does not do
//! It emulates neither EC2 (apart from the ports of workloads), nor
//! replication, failback, source networks, launch actions and native recovery plans; those
//! operations answer 501.

mod clock;
mod emulator;
pub mod faults;
mod late;
mod listening;
pub mod model;
mod operation;
mod scenario;
mod wire;

pub use clock::{EmulatorClock, NotManual};
pub use emulator::{Emulator, Settings};
pub use listening::free_loopback;
pub use operation::Operation;
pub use scenario::{GeneratedSpec, Scenario, ScenarioError};
pub use wire::{FieldProblem, ServiceError, router, serve};
