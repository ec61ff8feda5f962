//! A machine that cannot run the compiler of hooks: nobody is told that their
//! plan is wrong.

use std::fs;

use tidegate_tests::process::{Process, last_line, run};

use super::stack::stderr;

const PLAN: &str = "\
apiVersion: tidegate/v1
kind: Plan
metadata: {name: alone}
spec:
  target: {account: \"123456789012\", region: us-west-2}
  waves:
    - name: application
      servers: {ids: [s-10000000000aa0001]}
      verify: [{hook: tcp-reachable, config: {port: 5432}}]
";

#[test]
fn a_compiler_that_does_not_start_is_no_mistake_in_a_plan() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let plan = folder.path().join("plan.yaml");
    fs::write(&plan, PLAN).expect("the folder can be written to");
    let apply = ["plan", "apply", &plan.display().to_string()];
    let data_dir = data.display().to_string();
    let serve = ["serve", "--drs", "emulator", "--data-dir", &data_dir];
    let serve = [&serve[..], &["--listen", "127.0.0.1:0"]].concat();
    let whole = Process::start(&serve, &[]);
    let _ = last_line(&["hook", "push", "tcp-reachable"], whole.address());
    whole.kill();
    fs::remove_dir_all(data.join("hook-cache")).expect("there is a cache");

    let missing = [("TIDEGATE__HOOKS__COMPILER", "/nowhere/compiler")];
    let broken = Process::start(&serve, &missing);
    let refused = run(&apply, broken.address());

    let said = stderr(&refused);
    assert_eq!(refused.status.code(), Some(7), "{said}");
    for part in [
        "HOOKS_UNAVAILABLE",
        "/nowhere/compiler does not start",
        "nothing is wrong with the request",
        "try again",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    broken.kill();

    let repaired = Process::start(&serve, &[]);
    let applied = run(&apply, repaired.address());
    assert!(applied.status.success(), "{}", stderr(&applied));
}

/// Which rule forbids an address is known before anybody probes it.
#[test]
fn an_endpoint_that_is_never_probed_is_refused_with_its_field_and_rule() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data").display().to_string();
    let serve = ["serve", "--drs", "emulator", "--listen", "127.0.0.1:0"];
    let serve = [&serve[..], &["--data-dir", &data]].concat();
    let gateway = Process::start(&serve, &[]);
    let endpoints = "  endpoints:
    - {name: metadata, scheme: http, host: 169.254.169.254, port: 80}
    - {name: crm, scheme: tcp, host: crm.internal, port: 443, cidrs: [10.0.0.0/8, 169.254.0.0/16]}
";
    let (plan, uses) = PLAN.split_at(PLAN.find("  waves:").expect("it has waves"));
    let uses = uses.split_once("      verify").expect("it has a check").0;
    let file = folder.path().join("plan.yaml");
    fs::write(&file, [plan, endpoints, uses].concat()).expect("the folder can be written to");

    let file = file.display().to_string();
    let refused = run(&["plan", "apply", &file], gateway.address());

    let said = stderr(&refused);
    assert_eq!(refused.status.code(), Some(10), "{said}");
    for part in [
        "spec.endpoints[0].host",
        "rule metadata",
        "spec.endpoints[1].cidrs[1]",
        "rule link-local",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
}
