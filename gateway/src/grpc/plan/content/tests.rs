//! What is accepted, and as what.

use super::*;
use crate::{
    grpc::fixtures::{self, FakeHooks},
    ports::hooks::Fault,
};

async fn checked(plan: &v1::Plan, hooks: &FakeHooks) -> Result<Accepted, Vec<v1::FieldViolation>> {
    let accepted = Accepted::check(Some(plan), &Limits::default(), hooks).await;
    accepted.map_err(|unaccepted| match unaccepted {
        Unaccepted::Mistakes(mistakes) => mistakes,
        Unaccepted::Unready(status) => panic!("{status}"),
    })
}

async fn fields(plan: &v1::Plan, hooks: &FakeHooks) -> Vec<String> {
    let violations = checked(plan, hooks).await.unwrap_err();
    violations.into_iter().map(|it| it.field).collect()
}

#[tokio::test]
async fn the_digest_is_over_content_only() {
    let hooks = FakeHooks::default();
    let first = checked(&fixtures::shop(), &hooks).await.unwrap();
    let mut stamped = fixtures::shop();
    stamped.revision = 7;
    stamped.digest = "sha256:other".to_owned();
    let stamped = checked(&stamped, &hooks).await.unwrap();
    assert_eq!(stamped.digest, first.digest);

    let mut other = fixtures::shop();
    other.labels.insert("env".to_owned(), "test".to_owned());
    let other = checked(&other, &hooks).await.unwrap();
    assert_ne!(other.digest, first.digest);
    assert_eq!(first.digest.len(), "sha256:".len() + 64);
}

#[tokio::test]
async fn a_limit_of_zero_is_refused_with_its_field_and_beside_other_mistakes() {
    let hooks = FakeHooks::default();
    let zero = Some(prost_types::Duration::default());
    let mut plan = fixtures::shop();
    let spec = plan.spec.as_mut().unwrap();
    spec.timeout = zero;
    spec.waves[1].timeout = zero;
    let both = ["spec.waves[1].timeout", "spec.timeout"];
    assert_eq!(fields(&plan, &hooks).await, both);
    plan.spec.as_mut().unwrap().waves[0].name.clear();
    let fields = fields(&plan, &hooks).await;
    assert!(fields.contains(&"spec.waves[0].name".to_owned()));
    assert!(
        both.iter()
            .all(|field| fields.contains(&(*field).to_owned()))
    );
}

#[tokio::test]
async fn a_hook_is_pinned_to_the_newest_of_its_name_unless_the_plan_pins_it() {
    let hooks = FakeHooks::default();
    let old = hooks.add("tcp/1");
    let new = hooks.add("tcp/2");
    let mut plan = fixtures::verified_shop(&["tcp", "tcp"]);
    let spec = plan.spec.as_mut().unwrap();
    spec.waves[1].verify[1].digest = old.clone();
    spec.waves[0].check = spec.waves[1].verify[..1].to_vec();

    let accepted = checked(&plan, &hooks).await.unwrap();

    let waves = &accepted.content.spec.as_ref().unwrap().waves;
    let digests =
        |uses: &[v1::HookUse]| -> Vec<String> { uses.iter().map(|it| it.digest.clone()).collect() };
    assert_eq!(digests(&waves[0].check), [new.as_str()]);
    assert_eq!(digests(&waves[1].verify), [new.as_str(), old.as_str()]);
    let run: Vec<_> = accepted.checked.hook_uses().collect();
    let run: Vec<_> = run.iter().map(|it| it.hook_use.digest.as_deref()).collect();
    assert_eq!(run, [Some(&*new), Some(&*new), Some(&*old)]);
}

#[tokio::test]
async fn the_digest_of_a_plan_is_over_the_hooks_that_it_runs() {
    let hooks = FakeHooks::default();
    let plan = fixtures::verified_shop(&["tcp"]);
    let old = hooks.add("tcp/1");
    let first = checked(&plan, &hooks).await.unwrap().digest;
    hooks.add("tcp/2");
    assert_ne!(checked(&plan, &hooks).await.unwrap().digest, first);

    let mut pinned = plan;
    pinned.spec.as_mut().unwrap().waves[1].verify[0].digest = old;
    assert_eq!(checked(&pinned, &hooks).await.unwrap().digest, first);
}

#[tokio::test]
async fn a_hook_that_there_is_not_is_refused_with_its_path_and_what_to_do() {
    let hooks = FakeHooks::default();
    hooks.add("tcp");
    let plan = fixtures::verified_shop(&["tcp", "dns"]);
    let violations = checked(&plan, &hooks).await.unwrap_err();
    let [violation] = violations.as_slice() else {
        panic!("each mistake is said once: {violations:?}");
    };
    assert_eq!(violation.field, "spec.waves[1].verify[1].hook");
    assert_eq!(
        violation.description,
        "there is no hook \"dns\" here; register it first (tidegate hook push)"
    );
}

#[tokio::test]
async fn what_is_not_ready_is_refused_together_with_what_there_is_not() {
    let hooks = FakeHooks::default();
    let mut plan = fixtures::verified_shop(&["dns", "tcp"]);
    let gone = fixtures::digest(b"tcp/gone");
    plan.spec.as_mut().unwrap().waves[1].verify[1].digest = gone;
    assert_eq!(
        fields(&plan, &hooks).await,
        [
            "spec.waves[1].verify[0].hook",
            "spec.waves[1].verify[1].hook"
        ]
    );
}

#[tokio::test]
async fn a_mistake_comes_before_a_fault_of_the_host() {
    let hooks = FakeHooks::default();
    hooks.add("tcp");
    hooks.fail(Some(Fault::Host));
    let mut plan = fixtures::verified_shop(&["tcp"]);
    let accepted = Accepted::check(Some(&plan), &Limits::default(), &hooks).await;
    let Err(Unaccepted::Unready(status)) = accepted else {
        panic!("nothing is wrong with the plan");
    };
    assert_eq!(status.code(), tonic::Code::Unavailable);

    plan.spec.as_mut().unwrap().waves[1]
        .verify
        .push(v1::HookUse {
            hook: "dns".to_owned(),
            ..v1::HookUse::default()
        });
    let only = ["spec.waves[1].verify[1].hook"];
    assert_eq!(fields(&plan, &hooks).await, only);
}

#[tokio::test]
async fn mistakes_on_the_wire_and_in_the_plan_are_listed_together() {
    let mut plan = fixtures::shop();
    plan.name = "Shop".to_owned();
    plan.spec.as_mut().unwrap().unknown_launch = 9;
    let hooks = FakeHooks::default();
    assert_eq!(fields(&plan, &hooks).await, ["spec.unknown_launch", "name"]);
}
