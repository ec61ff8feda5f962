//! How far a hook is from its limits when the wave is larger than its tests.

use serde::Serialize;
use tidegate_hooks::{Expected, Hook, Host, Limits, Outcome, Tape, Vector};

use super::numbers;
use crate::print::table;

/// Sizes of waves: a small one, a large one, and one beyond DRS's quota of
/// servers in one job.
const SERVERS: [usize; 3] = [10, 100, 300];

/// The most that any vector uses with this many servers.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Headroom {
    servers: usize,
    fuel: Used,
    memory: Used,
    probes: Used,
    findings: Used,
    /// Vectors that then end without a verdict, and how.
    failures: Vec<String>,
}

/// What is used of a limit, by the vector that comes closest to its own. It
/// can be more than the limit: it is measured under the highest limits that
/// there are.
#[derive(Clone, Copy, Debug, Serialize)]
struct Used {
    most: u64,
    limit: u64,
}

impl Used {
    fn none(limit: u64) -> Self {
        Self { most: 0, limit }
    }

    fn see(&mut self, most: u64, limit: u64) {
        let share = |of: u64, limit: u64| u128::from(of) * u128::from(limit);
        if share(most, self.limit) > share(self.most, limit) {
            *self = Self { most, limit };
        }
    }

    fn shown(self, figure: fn(u64) -> String) -> String {
        let share = numbers::share(self.most, self.limit);
        format!("{} ({share})", figure(self.most))
    }
}

/// Runs each vector that is about a verdict on more and more servers.
pub(super) async fn measure(
    host: &Host,
    hook: &Hook,
    limits: &Limits,
    vectors: &[Vector],
) -> Vec<Headroom> {
    let grows = |vector: &&Vector| {
        matches!(vector.expected, Expected::Verdict { .. }) && !vector.context.servers.is_empty()
    };
    let vectors: Vec<&Vector> = vectors.iter().filter(grows).collect();
    let mut measured = Vec::new();
    if vectors.is_empty() {
        return measured;
    }
    for servers in SERVERS {
        let mut headroom = Headroom::none(servers, &limits.with_room_for(servers));
        for vector in &vectors {
            let (context, probes) = vector.grown(servers);
            let given = limits.with_room_for(context.probeable());
            let tape = host.check(hook, &Limits::CEILING, &context, &probes).await;
            headroom.see(&vector.name, &given, &tape);
        }
        measured.push(headroom);
    }
    measured
}

impl Headroom {
    fn none(servers: usize, limits: &Limits) -> Self {
        Self {
            servers,
            fuel: Used::none(limits.fuel),
            memory: Used::none(limits.memory as u64),
            probes: Used::none(limits.probes.into()),
            findings: Used::none(limits.findings as u64),
            failures: Vec::new(),
        }
    }

    fn see(&mut self, vector: &str, given: &Limits, tape: &Tape) {
        self.fuel.see(tape.usage.fuel, given.fuel);
        self.memory.see(tape.usage.peak_memory, given.memory as u64);
        let probes = tape.usage.probes.into();
        self.probes.see(probes, given.probes.into());
        match &tape.outcome {
            Outcome::Report(report) => {
                let findings = report.findings.len() as u64;
                self.findings.see(findings, given.findings as u64);
            }
            Outcome::Failure(failure) => self.failures.push(format!("{vector}: {failure}")),
        }
    }

    fn exceeded(&self) -> Vec<&'static str> {
        let used = [
            ("instructions", self.fuel),
            ("memory", self.memory),
            ("probes", self.probes),
            ("findings", self.findings),
        ];
        let exceeded = used.iter().filter(|(_, used)| used.most > used.limit);
        exceeded.map(|(what, _)| *what).collect()
    }
}

/// What to know before a wave has so many servers.
pub(super) fn warnings(headroom: &[Headroom]) -> Vec<String> {
    let mut warnings = Vec::new();
    for one in headroom {
        let servers = one.servers;
        let exceeded = one.exceeded();
        if !exceeded.is_empty() {
            warnings.push(format!(
                "warning: with {servers} servers it needs more {} than its limits allow",
                exceeded.join(", ")
            ));
        }
        if let Some(failure) = one.failures.first() {
            warnings.push(format!(
                "warning: with {servers} servers there is no verdict: {failure}"
            ));
        }
    }
    warnings
}

/// What is used, and which share of the limits that is.
pub(super) fn as_text(headroom: &[Headroom]) -> String {
    if headroom.is_empty() {
        return "no vector has servers, so it is not known what more of them need".to_owned();
    }
    let rows = headroom.iter().map(|one| {
        [
            one.servers.to_string(),
            one.fuel.shown(numbers::count),
            one.memory.shown(numbers::bytes),
            one.probes.shown(|probes| probes.to_string()),
            one.findings.shown(|findings| findings.to_string()),
        ]
    });
    table(["SERVERS", "FUEL", "MEMORY", "PROBES", "FINDINGS"], rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_that_follows_the_servers_is_the_one_that_is_compared() {
        let limits = Limits::DEFAULT.with_room_for(300);
        let mut headroom = Headroom::none(300, &limits);
        headroom.probes.see(300, limits.probes.into());
        headroom.findings.see(600, limits.findings as u64);
        assert_eq!(
            warnings(std::slice::from_ref(&headroom)),
            Vec::<String>::new()
        );
        let text = as_text(&[headroom]);
        assert!(text.contains("300 (50%)"), "{text}");
        assert!(text.contains("600 (100%)"), "{text}");
    }

    #[test]
    fn of_several_vectors_the_one_that_is_closest_to_its_limit_is_shown() {
        let mut used = Used::none(100);
        used.see(90, 1_000);
        used.see(50, 100);
        used.see(60, 200);
        assert_eq!((used.most, used.limit), (50, 100));
    }

    #[test]
    fn what_is_beyond_a_limit_is_warned_of() {
        let mut headroom = Headroom::none(300, &Limits::DEFAULT);
        headroom.fuel.see(1_000_000, Limits::DEFAULT.fuel);
        assert_eq!(warnings(&[headroom]), Vec::<String>::new());

        let mut headroom = Headroom::none(300, &Limits::DEFAULT);
        headroom.probes.see(300, 200);
        let text = as_text(std::slice::from_ref(&headroom));
        assert!(text.contains("300 (150%)"), "{text}");
        let warnings = warnings(&[headroom]);
        assert!(warnings[0].contains("more probes than"), "{warnings:?}");
    }
}
