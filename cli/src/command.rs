//! The command tree, and which verb runs.

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

use crate::{
    aws::AwsCommand,
    completion::Completion,
    connect::{ConnectArgs, Gateway},
    demo::Demo,
    drill::DrillCommand,
    emulator::EmulatorVerb,
    execution::ExecutionCommand,
    failure::{Exit, Failure},
    hook::HookCommand,
    info,
    instances::InstancesCommand,
    plan::PlanCommand,
    print::{Format, Printer},
    recovery::RecoveryCommand,
    serve::Serve,
    session::Session,
};

/// Disaster recovery of server estates with AWS DRS: plans of waves, drills,
/// recoveries.
#[derive(Debug, Parser)]
#[command(name = "tidegate", version, after_help = Exit::TABLE, propagate_version = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    connect: ConnectArgs,
    /// Form of the output.
    #[arg(
        short,
        long,
        value_enum,
        default_value_t,
        global = true,
        value_name = "FORMAT"
    )]
    output: Format,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a whole drill on this machine, with an emulated DRS; about a minute.
    Demo(Demo),
    /// Run a gateway.
    Serve(Serve),
    /// Store, check and look at plans.
    #[command(subcommand)]
    Plan(PlanCommand),
    /// Try a plan out: instances are launched beside the running source.
    #[command(subcommand)]
    Drill(DrillCommand),
    /// Fail over for real.
    #[command(subcommand)]
    Recovery(RecoveryCommand),
    /// Follow and steer drills, recoveries and cleanups.
    #[command(subcommand)]
    Execution(ExecutionCommand),
    /// Look at the recovery instances that DRS has running.
    #[command(subcommand)]
    Instances(InstancesCommand),
    /// Write, test and register checks of waves, and replay what they decided.
    #[command(subcommand)]
    Hook(HookCommand),
    /// Run a DRS on this machine that any AWS SDK can talk to.
    Emulator(EmulatorVerb),
    /// Prepare what gateways need in an AWS account.
    #[command(subcommand)]
    Aws(AwsCommand),
    /// Show what the gateway is and what it allows.
    Info,
    /// Print a completion script for a shell.
    Completion(Completion),
}

/// Runs the program.
pub(crate) fn main() -> ExitCode {
    let cli = Cli::parse();
    let printer = Printer::new(cli.output);
    let exit = match run(cli, printer) {
        Ok(exit) => exit,
        Err(failure) => {
            if !failure.is_silent() {
                printer.note(&format!("error: {failure}"));
            }
            failure.exit()
        }
    };
    ExitCode::from(exit as u8)
}

fn run(cli: Cli, printer: Printer) -> Result<Exit, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Other(format!("cannot start the runtime: {error}")))?;
    let exit = runtime.block_on(dispatch(cli, printer));
    // A read of the standard input that nobody waits for must not hold the end up.
    runtime.shutdown_background();
    exit
}

async fn dispatch(cli: Cli, printer: Printer) -> Result<Exit, Failure> {
    let session = || -> Result<Session, Failure> {
        let gateway = Gateway::new(&cli.connect)?;
        Ok(Session { gateway, printer })
    };
    match cli.command {
        Command::Demo(verb) => verb.run(printer).await,
        Command::Serve(verb) => verb.run(&cli.connect, printer).await,
        Command::Plan(command) => command.run(&session()?).await,
        Command::Drill(command) => command.run(&session()?).await,
        Command::Recovery(command) => command.run(&session()?).await,
        Command::Execution(command) => command.run(&session()?).await,
        Command::Instances(command) => command.run(&session()?).await,
        Command::Hook(command) => command.run(&session()?).await,
        Command::Emulator(verb) => verb.run(printer).await,
        Command::Aws(command) => command.run(printer).await,
        Command::Info => info::run(&session()?).await,
        Command::Completion(completion) => completion.run(Cli::command(), printer),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_tree_is_consistent() {
        Cli::command().debug_assert();
    }

    fn is_accepted(line: &str) -> bool {
        Cli::try_parse_from(line.split_whitespace()).is_ok()
    }

    #[test]
    fn the_interface_that_scripts_use_is_there() {
        for line in [
            "tidegate plan apply shop.yaml",
            "tidegate plan apply - --address http://127.0.0.1:1",
            "tidegate drill start shop -o name",
            "tidegate recovery start shop --confirm shop",
            "tidegate execution wait 01J",
            "tidegate execution list -o json",
            "tidegate execution cleanup 01J --confirm shop --request-id x",
            "tidegate execution cleanup 01J --instance i-1 --instance i-2,i-3 --confirm shop",
            "tidegate instances list --plan shop --execution 01J --account 123456789012 --region r",
            "tidegate completion bash",
            "tidegate info",
            "tidegate demo",
            "tidegate serve --listen 127.0.0.1:0 --data-dir d --drs emulator --speed 60",
            "tidegate serve --drs aws",
            "tidegate emulator --listen 127.0.0.1:0 --speed 60 --scenario shop",
            "tidegate aws create-table --table t --region r --endpoint http://127.0.0.1:1 --partitions 9",
            "tidegate aws policy --for target --account 123456789012 --region us-west-2",
            "tidegate aws policy --trust --gateway-role arn:aws:iam::123456789012:role/a",
            "tidegate hook new db-ready --lang rust --dir d",
            "tidegate hook build",
            "tidegate hook inspect a.wasm -o json",
            "tidegate hook test --vectors v.yaml --memory 128",
            "tidegate hook run a.wasm --server s-1=10.0.0.1,fd00::1 --port 22 --port 80 --param a=b \
             --endpoint erp=https://erp:8443/a --phase pre-wave --allow-loopback --tape t.json",
            "tidegate hook replay 01J",
            "tidegate hook replay --tape t.json --tape u.json --component a.wasm",
            "tidegate hook sensitivity --tape t.json",
            "tidegate hook bench a.wasm --runs 10",
            "tidegate hook push . -o json",
            "tidegate hook list",
            "tidegate hook get db-ready",
        ] {
            assert!(is_accepted(line), "{line}");
        }
    }

    #[test]
    fn a_drill_is_never_a_recovery_by_a_mistyped_flag() {
        assert!(!is_accepted("tidegate drill start shop --confirm shop"));
        assert!(!is_accepted("tidegate drill start shop --recovery"));
        assert!(!is_accepted("tidegate recovery start"));
    }

    #[test]
    fn tapes_are_of_an_execution_or_of_files() {
        for verb in ["replay", "sensitivity"] {
            for arguments in ["", "01J --tape t.json", "01J --component a.wasm"] {
                let line = format!("tidegate hook {verb} {arguments}");
                assert!(!is_accepted(&line), "{line}");
            }
        }
    }

    #[test]
    fn the_exit_codes_are_documented() {
        let help = Cli::command().render_long_help().to_string();
        assert!(help.contains("SUCCEEDED_WITH_WARNINGS"));
        assert!(help.contains("130"));
    }
}
