//! The checks that make a fleet of a scenario file.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::Scenario;
use super::error::ScenarioError;
use super::file::{
    GroupFile, PlaceFile, QuotasFile, ScenarioFile, ServerFile, TimingsFile, TraitsFile,
};
use crate::clock::LAST;
use crate::model::{
    AccountId, Fleet, InstanceId, Loopback, Outcome, Place, Quotas, RecordedIds, Region, Seed,
    ServerSpec, SourceServerId, Timings,
};

/// A week after the epoch, so that servers can have a past.
const FIRST: Timestamp = Timestamp::constant(604_800, 0);

impl ScenarioFile {
    pub(super) fn check(self) -> Result<Scenario, ScenarioError> {
        let timings = self.timings.over(&Timings::default(), &self.name)?;
        if let Some(start) = self.start.filter(|start| !(FIRST..=LAST).contains(start)) {
            return Err(ScenarioError::Start(start));
        }
        let mut servers: BTreeMap<Place, Vec<ServerSpec>> = BTreeMap::new();
        for place in &self.fleet {
            let (place, specs) = place.check(&timings)?;
            servers.entry(place).or_default().extend(specs);
        }
        unique(&servers)?;
        let first = servers.keys().next().ok_or(ScenarioError::EmptyFleet)?;
        let default_account = match self.default_account {
            Some(account) => AccountId::parse(&account)?,
            None => first.account.clone(),
        };
        let loopback = self.listen.as_deref().map(Loopback::parse).transpose()?;
        let faults = self.faults.check(Seed(self.seed));
        let scenario = Scenario {
            name: self.name,
            start: self.start,
            default_account,
            faults: faults.map_err(|error| error.under("faults"))?,
            fleet: Fleet {
                seed: Seed(self.seed),
                quotas: self.quotas.check(),
                names_recovery_instances: self.names_recovery_instances,
                loopback,
                servers,
            },
        };
        self.unhealthy_until_told
            .iter()
            .try_fold(scenario, |scenario, id| {
                scenario.unhealthy_until_told(&SourceServerId::parse(id)?)
            })
    }
}

fn unique(servers: &BTreeMap<Place, Vec<ServerSpec>>) -> Result<(), ScenarioError> {
    let mut seen = BTreeSet::new();
    for spec in servers.values().flatten() {
        if !seen.insert(&spec.id) {
            return Err(ScenarioError::DuplicateServer(spec.id.clone()));
        }
    }
    Ok(())
}

impl QuotasFile {
    fn check(&self) -> Quotas {
        let default = Quotas::default();
        Quotas {
            concurrent_jobs: self.concurrent_jobs.unwrap_or(default.concurrent_jobs),
            servers_per_job: self.servers_per_job.unwrap_or(default.servers_per_job),
            servers_in_all_jobs: self
                .servers_in_all_jobs
                .unwrap_or(default.servers_in_all_jobs),
        }
    }
}

impl TimingsFile {
    fn over(&self, base: &Timings, place: &str) -> Result<Timings, ScenarioError> {
        let phase = |member, value: Option<f64>, base| match value {
            Some(value) => seconds(place, member, value),
            None => Ok(base),
        };
        let jitter = self.jitter.unwrap_or(base.jitter);
        if !(0.0..1.0).contains(&jitter) {
            return Err(number(
                place,
                "jitter",
                jitter,
                "a fraction from 0 to less than 1",
            ));
        }
        Ok(Timings {
            job_start: phase("jobStart", self.job_start, base.job_start)?,
            cleanup: phase("cleanup", self.cleanup, base.cleanup)?,
            snapshot_wait: phase("snapshotWait", self.snapshot_wait, base.snapshot_wait)?,
            snapshot: phase("snapshot", self.snapshot, base.snapshot)?,
            conversion_wait: phase("conversionWait", self.conversion_wait, base.conversion_wait)?,
            conversion: phase("conversion", self.conversion, base.conversion)?,
            launch_wait: phase("launchWait", self.launch_wait, base.launch_wait)?,
            launch: phase("launch", self.launch, base.launch)?,
            job_end: phase("jobEnd", self.job_end, base.job_end)?,
            job_end_log: phase("jobEndLog", self.job_end_log, base.job_end_log)?,
            jitter,
        })
    }
}

pub(super) fn seconds(
    place: &str,
    member: &'static str,
    value: f64,
) -> Result<SignedDuration, ScenarioError> {
    if !(0.0..=31_536_000.0).contains(&value) {
        return Err(number(
            place,
            member,
            value,
            "a number of seconds, at most those of a year",
        ));
    }
    Ok(SignedDuration::from_micros(
        (value * 1_000_000.0).round() as i64
    ))
}

pub(super) fn number(
    place: &str,
    member: &'static str,
    value: f64,
    expected: &'static str,
) -> ScenarioError {
    ScenarioError::Number {
        place: place.to_owned(),
        member,
        value,
        expected,
    }
}

impl PlaceFile {
    fn check(&self, timings: &Timings) -> Result<(Place, Vec<ServerSpec>), ScenarioError> {
        let place = Place {
            account: AccountId::parse(&self.account)?,
            region: Region::parse(&self.region)?,
        };
        let mut specs = Vec::new();
        for server in &self.servers {
            specs.push(server.check(timings)?);
        }
        for group in &self.groups {
            for number in 1..=group.count {
                specs.push(group.server(number, timings)?);
            }
        }
        Ok((place, specs))
    }
}

impl ServerFile {
    fn check(&self, timings: &Timings) -> Result<ServerSpec, ScenarioError> {
        let spec = ServerSpec::new(SourceServerId::parse(&self.id)?, &self.hostname);
        let first_launch = match &self.first_launch {
            Some(ids) => Some(RecordedIds {
                conversion_server: InstanceId::parse(&ids.conversion_server)?,
                instance: InstanceId::parse(&ids.instance)?,
            }),
            None => None,
        };
        let spec = ServerSpec {
            tags: self.tags.clone(),
            first_launch,
            ..spec
        };
        self.traits.give(spec, timings)
    }
}

impl GroupFile {
    fn server(&self, number: u32, timings: &Timings) -> Result<ServerSpec, ScenarioError> {
        let width = 19_usize.saturating_sub(self.id_prefix.len());
        let id = SourceServerId::parse(&format!("{}{number:0width$}", self.id_prefix))?;
        let hostname = self.hostname.replace("{n}", &format!("{number:02}"));
        let spec = ServerSpec {
            tags: self.tags.clone(),
            ..ServerSpec::new(id, hostname)
        };
        self.traits.give(spec, timings)
    }
}

impl TraitsFile {
    fn give(&self, spec: ServerSpec, timings: &Timings) -> Result<ServerSpec, ScenarioError> {
        let place = spec.id.to_string();
        let workload = self.workload.as_ref();
        Ok(ServerSpec {
            replication: self.replication.unwrap_or(spec.replication),
            lag: seconds(&place, "lagSeconds", self.lag_seconds)?,
            timings: self.timings.over(timings, &place)?,
            outcome: self.outcome.map(|outcome| Outcome {
                effect: outcome.effect,
                launches: outcome.launches,
            }),
            address: self.address,
            workload: workload.map(|file| file.check(&spec.id)).transpose()?,
            ..spec
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Effect;

    const MINIMAL: &str = r#"
name: minimal
fleet:
  - account: "123456789012"
    region: us-west-2
    servers: [{id: s-00000000000000001, hostname: one}]
    groups:
      - idPrefix: s-1db
        count: 2
        hostname: "db-{n}"
        tags: {tier: db}
        traits:
          timings: {conversion: 1.5}
          outcome: {effect: failConversion, launches: 2}
"#;

    #[test]
    fn a_group_becomes_numbered_servers() {
        let scenario = Scenario::from_yaml(MINIMAL).unwrap();
        let specs = scenario.fleet.servers.values().next().unwrap();
        assert_eq!(specs[2].id.as_str(), "s-1db00000000000002");
        assert_eq!(specs[2].hostname, "db-02");
        assert_eq!(
            specs[2].timings.conversion,
            SignedDuration::from_millis(1_500)
        );
        assert_eq!(specs[2].timings.launch, Timings::default().launch);
        assert_eq!(specs[2].outcome.unwrap().effect, Effect::FailConversion);
    }

    #[test]
    fn json_says_the_same_as_yaml() {
        let json = r#"{"name": "minimal", "fleet": [{"account": "123456789012",
            "region": "us-west-2", "servers": [{"id": "s-00000000000000001", "hostname": "one"}],
            "groups": [{"idPrefix": "s-1db", "count": 2, "hostname": "db-{n}",
                "tags": {"tier": "db"}, "traits": {"timings": {"conversion": 1.5},
                "outcome": {"effect": "failConversion", "launches": 2}}}]}]}"#;
        let json = Scenario::from_json(json).unwrap();
        assert_eq!(json, Scenario::from_yaml(MINIMAL).unwrap());
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_its_place() {
        let unknown = MINIMAL.replace("count", "cuont");
        assert!(matches!(
            Scenario::from_yaml(&unknown),
            Err(ScenarioError::Syntax(_))
        ));
        let negative = MINIMAL.replace("1.5", "-1.5");
        let error = Scenario::from_yaml(&negative).unwrap_err().to_string();
        assert!(
            error.contains("s-1db00000000000001") && error.contains("conversion"),
            "{error}"
        );
        let twice = MINIMAL.replace("s-00000000000000001", "s-1db00000000000001");
        assert!(matches!(
            Scenario::from_yaml(&twice),
            Err(ScenarioError::DuplicateServer(_))
        ));
        let bad = MINIMAL.replace("s-00000000000000001", "s-1");
        assert!(matches!(
            Scenario::from_yaml(&bad),
            Err(ScenarioError::Id(_))
        ));
    }
}
