//! The newcomer's path, as it is written: every command of `docs/first-drill.md`
//! is typed into a shell, in order, with the real program. DRS, STS and IAM are
//! the emulator's, the table is DynamoDB Local's; what only AWS can do is a
//! closed list, and what those commands are given is looked at. What the README
//! says can be typed is typed, too.

mod aws;
mod readme;
mod terminal;
mod text;
mod world;

use std::{fs, path::Path};

use serde_json::Value;
use tidegate_tests::process::run;

use self::{
    aws::{Call, assert_policy},
    terminal::{Running, Terminal},
    text::{Block, Place},
    world::World,
};
use crate::compatibility::installed::in_checkout;

const TEXT: &str = "docs/first-drill.md";

const TARGET: &str = "tidegate-target";

#[tokio::test(flavor = "multi_thread")]
async fn the_first_drill_goes_as_the_text_says() {
    let world = World::begin().await;
    let blocks = text::blocks(TEXT);
    let mut reader = Reader::sits_down(&world);
    for block in &blocks {
        reader.follows(block);
    }
    reader.leaves();

    let written: usize = blocks.iter().map(|block| block.count("aws")).sum();
    let calls = world.aws.calls();
    assert_eq!(calls.len(), written, "each was typed once: {calls:?}");
    assert_roles(&calls);
    let [database, web] = ["s-10000000000db0001", "s-10000000000eb0001"];
    assert_eq!(world.launched(), [database, web, database, web]);
    assert_eq!(world.calls("TerminateRecoveryInstances"), 2);
    assert!(world.calls("SimulatePrincipalPolicy") > 0);
}

#[test]
fn the_readme_leads_to_the_text() {
    let readme = fs::read_to_string(in_checkout("README.md")).expect("it is there");
    assert!(readme.contains(&format!("({TEXT})")));
}

/// What prose calls by name must be there, too: each goes as far as its help.
#[test]
fn every_command_that_the_prose_names_is_one() {
    for path in [TEXT, "README.md"] {
        let text = fs::read_to_string(in_checkout(path)).expect("the text is there");
        let spans = text.split('`').skip(1).step_by(2);
        let commands = spans.filter_map(|span| span.strip_prefix("tidegate "));
        let mut count = 0;
        for command in commands.filter(|it| !it.contains('\n')) {
            assert_is_one(path, command);
            count += 1;
        }
        assert!(count > 0, "{path}");
    }
}

/// So must what a block shows that nobody types: it builds a hook, or reaches
/// other machines.
#[test]
fn every_command_that_the_readme_shows_is_one() {
    let shown = text::fences("README.md").into_iter();
    let shown: Vec<String> = shown
        .filter(|fence| fence.block().is_none())
        .flat_map(|fence| fence.content.lines().map(str::to_owned).collect::<Vec<_>>())
        .collect();
    let commands = shown.iter().filter_map(|it| it.strip_prefix("tidegate "));
    let mut count = 0;
    for line in commands {
        let (command, _) = line.split_once(" #").unwrap_or((line, ""));
        assert_is_one("README.md", command);
        count += 1;
    }
    assert!(count > 5, "{shown:#?}");
}

fn assert_is_one(path: &str, command: &str) {
    let words: Vec<&str> = command.split_whitespace().chain(["--help"]).collect();
    let output = run(&words, "");
    assert!(output.status.success(), "{path}: tidegate {command}");
}

/// Whoever follows the text.
struct Reader<'a> {
    world: &'a World,
    here: Terminal,
    gateways: Vec<Running>,
}

impl<'a> Reader<'a> {
    fn sits_down(world: &'a World) -> Self {
        let here = world.path("home");
        Self {
            world,
            here: Terminal::open(&world.environment(), &here, &world.path("scripts")),
            gateways: Vec::new(),
        }
    }

    fn follows(&mut self, block: &Block) {
        match block.place {
            Place::Here => {
                let said = self.here.run(block);
                self.looks(block, &said, 0);
            }
            Place::Gateway => {
                let folder = self.here.folder();
                self.starts(block, &folder);
            }
            Place::Gateways => {
                self.leaves();
                let folder = self.here.folder();
                self.starts(block, &folder);
                let other = self.world.path("machine");
                let file = "tidegate.toml";
                fs::copy(folder.join(file), other.join(file)).expect("the same file");
                self.starts(block, &other);
            }
            Place::Elsewhere => {
                let world = self.world;
                let scripts = world.path("scripts");
                let folder = world.path("machine");
                let mut there = Terminal::open(&world.environment(), &folder, &scripts);
                there.export("TIDEGATE_ADDRESS", &self.gateways[1].address);
                let said = there.run(block);
                self.looks(block, &said, 1);
            }
        }
    }

    /// The first one is that of the terminal.
    fn starts(&mut self, block: &Block, folder: &Path) {
        let gateway = Running::start(&self.world.environment(), folder, block);
        if self.gateways.is_empty() {
            self.here.export("TIDEGATE_ADDRESS", &gateway.address);
        }
        self.gateways.push(gateway);
    }

    fn leaves(&mut self) {
        for gateway in self.gateways.drain(..) {
            gateway.interrupt();
        }
    }

    /// Sees what the reader should see.
    fn looks(&self, block: &Block, said: &str, gateway: usize) {
        let commands = &block.commands;
        if commands.contains("aws iam create-role") {
            self.takes_the_trust_over();
        }
        if commands.contains("tidegate plan ready") {
            let last = said.lines().last();
            let wanted = Some("ready: 2 servers would be launched now");
            assert_eq!(last, wanted, "nothing else is found: {said}");
        }
        if commands.contains("drill start") {
            assert_eq!(self.executions("drill", gateway), "SUCCEEDED", "{said}");
            assert_eq!(self.instances(gateway), 2);
        }
        if commands.contains("execution cleanup") {
            assert_eq!(self.executions("cleanup", gateway), "SUCCEEDED", "{said}");
            assert_eq!(self.instances(gateway), 0, "{said}");
        } else if commands.contains("instances list") {
            for server in ["s-10000000000db0001", "s-10000000000eb0001"] {
                let rows = said.lines().filter(|line| line.contains(server));
                let of_drill = |row: &&str| row.contains("DRILL") && row.contains("first-drill");
                assert_eq!(rows.filter(of_drill).count(), 1, "{said}");
            }
        }
    }

    /// IAM would from now on: the role trusts whoever knows its external id.
    fn takes_the_trust_over(&self) {
        let calls = self.world.aws.calls();
        let trust = created(&calls, TARGET);
        let id = &trust["Statement"][0]["Condition"]["StringEquals"]["sts:ExternalId"];
        let role = format!("arn:aws:iam::123456789012:role/{TARGET}");
        self.world
            .trust(&role, id[0].as_str().expect("an external id"));
    }

    /// How the newest one of a kind ended, as a gateway says.
    fn executions(&self, kind: &str, gateway: usize) -> String {
        let list = ["execution", "list", "--kind", kind, "--limit", "1"];
        let newest = self.lines(&list, gateway).remove(0);
        let state = newest["state"].as_str().expect("a state");
        state.trim_start_matches("EXECUTION_STATE_").to_owned()
    }

    fn instances(&self, gateway: usize) -> usize {
        self.lines(&["instances", "list"], gateway).len()
    }

    fn lines(&self, args: &[&str], gateway: usize) -> Vec<Value> {
        let address = &self.gateways[gateway].address;
        let output = run(&[args, &["-o", "jsonl"]].concat(), address);
        assert!(output.status.success(), "{output:?}");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let lines = text.lines().filter(|line| !line.is_empty());
        lines
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect()
    }
}

/// The trust policy with which a role was made.
fn created<'a>(calls: &'a [Call], role: &str) -> &'a Value {
    let mut calls = calls.iter().filter(|it| it.command == "iam create-role");
    let call = calls.find(|it| it.option("--role-name") == role);
    let document = call.and_then(|it| it.document.as_ref());
    document.unwrap_or_else(|| panic!("{role} is never made"))
}

/// Sees that roles are made before they are trusted, get policies that IAM
/// takes, and are taken away with them.
fn assert_roles(calls: &[Call]) {
    let of = |command: &str| -> Vec<&Call> {
        let calls = calls.iter().filter(|it| it.command == command);
        calls.collect()
    };
    let roles = |calls: &[&Call]| -> Vec<String> {
        let names = calls.iter().map(|it| it.option("--role-name").to_owned());
        names.collect()
    };
    let made = of("iam create-role");
    assert_eq!(roles(&made), ["tidegate-gateway", TARGET]);
    for call in &made {
        assert_policy(call.document.as_ref().expect("a trust policy"), true);
    }
    let principal = &created(calls, TARGET)["Statement"][0]["Principal"]["AWS"];
    assert_eq!(principal, "arn:aws:iam::123456789012:role/tidegate-gateway");
    let given = of("iam put-role-policy");
    for call in &given {
        assert_policy(call.document.as_ref().expect("a policy"), false);
    }
    let mut given = roles(&given);
    given.sort_unstable();
    given.dedup();
    assert_eq!(roles(&of("iam delete-role-policy")), given);
    assert_eq!(roles(&of("iam delete-role")), roles(&made));
}
