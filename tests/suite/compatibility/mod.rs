//! Clients that are not ours, users at a shell, and whoever means harm, against
//! the real binary.

mod boto3;
mod buf_curl;
mod cli_executions;
mod cli_hooks;
mod cli_plan_files;
mod cli_serving;
mod cli_tls;
mod demo;
mod grpc_python;
mod hook_host;
mod hostile_input;
pub(crate) mod installed;
mod prometheus_python;
mod raw_grpc;
mod stack;
