//! The scenarios that are part of the emulator.

use super::{GeneratedSpec, Scenario};

/// Their names; the first is the default.
pub(super) const NAMES: &[&str] = &[
    "all",
    "recorded-drill",
    "shop",
    "diamond",
    "many",
    "mishaps",
    "rough",
    "generated",
];

const FILES: [&str; 4] = [
    include_str!("../../scenarios/recorded-drill.yaml"),
    include_str!("../../scenarios/shop.yaml"),
    include_str!("../../scenarios/diamond.yaml"),
    include_str!("../../scenarios/many.yaml"),
];

const MISHAPS: &str = include_str!("../../scenarios/mishaps.yaml");
const ROUGH: &str = include_str!("../../scenarios/rough.yaml");

pub(super) fn scenario(name: &str) -> Option<Scenario> {
    match name {
        "all" => Some(all()),
        "recorded-drill" => Some(embedded(FILES[0])),
        "shop" => Some(embedded(FILES[1])),
        "diamond" => Some(embedded(FILES[2])),
        "many" => Some(embedded(FILES[3])),
        "mishaps" => Some(embedded(MISHAPS)),
        "rough" => Some(embedded(ROUGH)),
        "generated" => Some(Scenario::generated(1, &GeneratedSpec::default())),
        _ => None,
    }
}

fn embedded(text: &str) -> Scenario {
    Scenario::from_yaml(text).expect("embedded scenarios are checked by a test")
}

/// The files together: they name different servers of one account.
fn all() -> Scenario {
    let mut files = FILES.iter().map(|text| embedded(text));
    let mut all = files.next().expect("there are embedded scenarios");
    for file in files {
        for (place, specs) in file.fleet.servers {
            all.fleet.servers.entry(place).or_default().extend(specs);
        }
    }
    Scenario {
        name: "all".to_owned(),
        ..all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Timings;

    fn servers_with(scenario: &Scenario, tags: &[(&str, &str)]) -> usize {
        let all = scenario.fleet.servers.values().flatten();
        all.filter(|spec| {
            tags.iter()
                .all(|(k, v)| spec.tags.get(*k).is_some_and(|t| t == v))
        })
        .count()
    }

    #[test]
    fn every_name_is_a_scenario() {
        for name in NAMES {
            assert_eq!(scenario(name).unwrap().name, *name);
        }
        assert_eq!(scenario("nonsense"), None);
    }

    #[test]
    fn the_default_holds_the_four_files_together() {
        let all = scenario("all").unwrap();
        assert_eq!(servers_with(&all, &[("app", "shop"), ("tier", "db")]), 12);
        assert_eq!(servers_with(&all, &[("app", "shop"), ("tier", "app")]), 24);
        assert_eq!(servers_with(&all, &[("app", "shop"), ("tier", "web")]), 24);
        assert_eq!(servers_with(&all, &[("app", "diamond")]), 16);
        assert_eq!(servers_with(&all, &[("app", "many")]), 100);
        assert_eq!(servers_with(&all, &[("app", "many"), ("wave", "25")]), 4);
        assert_eq!(servers_with(&all, &[("Role", "DBServer")]), 2);
        assert_eq!(
            all.fleet.servers.values().flatten().count(),
            6 + 60 + 16 + 100
        );
        let ids: std::collections::BTreeSet<_> = all
            .fleet
            .servers
            .values()
            .flatten()
            .map(|spec| spec.id.clone())
            .collect();
        assert_eq!(ids.len(), 182);
    }

    #[test]
    fn the_file_in_the_manual_is_a_scenario() {
        let manual = include_str!("../../scenarios/README.md");
        let (_, rest) = manual.split_once("```yaml\n").unwrap();
        let (file, _) = rest.split_once("```").unwrap();
        let scenario = Scenario::from_yaml(file).unwrap();
        assert_eq!(servers_with(&scenario, &[("tier", "db")]), 12);
        let one = &scenario.fleet.servers.values().next().unwrap()[0];
        let mut defaults = one.clone();
        defaults.timings.launch = Timings::default().launch;
        assert_eq!(
            defaults.timings,
            Timings::default(),
            "the manual states the defaults"
        );
    }
}
