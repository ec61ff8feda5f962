//! Fleets of any size from a seed.

use std::collections::BTreeMap;

use jiff::SignedDuration;

use super::Scenario;
use crate::faults::Faults;
use crate::model::{
    AccountId, Fleet, Place, Protocol, Quotas, Region, Seed, ServerSpec, SourceServerId, Tags,
    Timings, Workload,
};

/// How large a generated fleet is, and how it is spread.
#[derive(Debug, Clone, PartialEq)]
pub struct GeneratedSpec {
    /// Servers in all.
    pub servers: usize,
    /// Their accounts.
    pub accounts: Vec<AccountId>,
    /// The Regions of each account.
    pub regions: Vec<Region>,
    /// Values of the tag `tier`, dealt in turn.
    pub tiers: Vec<String>,
}

impl Default for GeneratedSpec {
    fn default() -> Self {
        let account = |id| AccountId::parse(id).expect("12 digits");
        let region = |name| Region::parse(name).expect("a Region");
        Self {
            servers: 200,
            accounts: vec![account("123456789012"), account("210987654321")],
            regions: vec![region("us-west-2"), region("us-east-2")],
            tiers: ["db", "app", "web"].map(str::to_owned).to_vec(),
        }
    }
}

pub(super) fn scenario(seed: u64, spec: &GeneratedSpec) -> Scenario {
    let places: Vec<Place> = spec
        .accounts
        .iter()
        .flat_map(|account| {
            let place = |region: &Region| Place {
                account: account.clone(),
                region: region.clone(),
            };
            spec.regions.iter().map(place).collect::<Vec<_>>()
        })
        .collect();
    let mut servers: BTreeMap<Place, Vec<ServerSpec>> = places
        .iter()
        .map(|place| (place.clone(), Vec::new()))
        .collect();
    for number in 0..spec.servers {
        // Dealt by place first, so that every tier has servers in every place.
        let place = places.get(number % places.len().max(1));
        if let Some(specs) = place.and_then(|place| servers.get_mut(place)) {
            let tier = spec
                .tiers
                .get((number / places.len()) % spec.tiers.len().max(1));
            specs.push(server(
                Seed(seed),
                number,
                tier.map_or("none", String::as_str),
            ));
        }
    }
    let default_account = AccountId::parse("123456789012").expect("12 digits");
    Scenario {
        name: "generated".to_owned(),
        start: None,
        default_account: spec.accounts.first().cloned().unwrap_or(default_account),
        faults: Faults::none(),
        fleet: Fleet {
            seed: Seed(seed),
            quotas: Quotas::default(),
            names_recovery_instances: false,
            loopback: None,
            servers,
        },
    }
}

/// A server between a quarter and four times as fast as the recorded ones.
fn server(seed: Seed, number: usize, tier: &str) -> ServerSpec {
    let id = SourceServerId::parse(&format!("s-4{number:016}")).expect("17 digits");
    let draw = |what: &str| seed.draw(&["generated", what, id.as_str()]);
    let base = Timings::default();
    let scale = |base: SignedDuration, what: &str| {
        let quarters = 1 + (draw(what) % 16) as i32;
        base * quarters / 4
    };
    let timings = Timings {
        conversion: scale(base.conversion, "conversion"),
        launch: scale(base.launch, "launch"),
        ..base
    };
    let tags = [("app", "generated"), ("tier", tier)];
    ServerSpec {
        tags: tags
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into_iter()
            .collect::<Tags>(),
        lag: SignedDuration::from_secs((draw("lag") % 4) as i64 * 15),
        timings,
        workload: Some(workload(tier)),
        ..ServerSpec::new(id, format!("{tier}-{number:04}.generated.example"))
    }
}

/// Databases take connections, everything else answers HTTP.
fn workload(tier: &str) -> Workload {
    let port = match tier {
        "db" => (5_432, Protocol::Tcp),
        _ => (8_080, Protocol::Http),
    };
    Workload {
        ready_after: SignedDuration::from_secs(10),
        ..Workload::new([port])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_fleet() {
        let spec = GeneratedSpec::default();
        assert_eq!(scenario(3, &spec), scenario(3, &spec));
        assert_ne!(scenario(3, &spec), scenario(4, &spec));
    }

    #[test]
    fn every_tier_has_servers_in_every_place() {
        let scenario = scenario(1, &GeneratedSpec::default());
        assert_eq!(scenario.fleet.servers.len(), 4);
        for specs in scenario.fleet.servers.values() {
            assert_eq!(specs.len(), 50);
            for tier in ["db", "app", "web"] {
                assert!(specs.iter().any(|spec| spec.tags["tier"] == tier));
            }
        }
    }
}
