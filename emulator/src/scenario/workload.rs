//! Workloads as a scenario file writes them, and the check that makes one of the model.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::check::{number, seconds};
use super::error::ScenarioError;
use crate::model::{Ailment, Protocol, SourceServerId, Workload};

/// Ports below belong to root.
const LOWEST_PORT: u16 = 1_024;

/// What the recovery instances of a server serve.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct WorkloadFile {
    ports: BTreeMap<u16, Protocol>,
    #[serde(default)]
    ready_after: f64,
    unhealthy_for: Option<f64>,
    #[serde(default)]
    unhealthy_until_told: bool,
}

impl WorkloadFile {
    pub(super) fn check(&self, server: &SourceServerId) -> Result<Workload, ScenarioError> {
        let place = server.as_str();
        if let Some(&port) = self.ports.keys().find(|&&port| port < LOWEST_PORT) {
            let expected = "a port above 1023: those below are root's";
            return Err(number(place, "workload.ports", port.into(), expected));
        }
        let ailment = match (self.unhealthy_for, self.unhealthy_until_told) {
            (None, false) => Ailment::None,
            (Some(value), false) => Ailment::For(seconds(place, "unhealthyFor", value)?),
            (None, true) => Ailment::UntilTold,
            (Some(_), true) => return Err(ScenarioError::TwoAilments(server.clone())),
        };
        Ok(Workload {
            ports: self.ports.clone(),
            ready_after: seconds(place, "readyAfter", self.ready_after)?,
            ailment,
        })
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::super::Scenario;
    use super::*;
    use crate::model::Loopback;

    fn with(workload: &str, more: &str) -> Result<Scenario, ScenarioError> {
        Scenario::from_yaml(&format!(
            "{{name: one, {more} fleet: [{{account: '123456789012', region: us-west-2, servers: \
             [{{id: s-00000000000000001, hostname: one, traits: {{workload: {workload}}}}}]}}]}}"
        ))
    }

    fn workload(scenario: Scenario) -> Workload {
        let mut servers = scenario.fleet.servers.into_values().flatten();
        servers.next().unwrap().workload.unwrap()
    }

    #[test]
    fn a_workload_is_read() {
        let text = "{ports: {8080: http, 8443: tcp}, readyAfter: 1.5, unhealthyFor: 60}";
        let scenario = with(text, "listen: 127.81.0.0/16,").unwrap();
        assert_eq!(scenario.fleet.loopback, Loopback::new(81));
        let expected = Workload {
            ready_after: SignedDuration::from_millis(1_500),
            ailment: Ailment::For(SignedDuration::from_mins(1)),
            ..Workload::new([(8_080, Protocol::Http), (8_443, Protocol::Tcp)])
        };
        assert_eq!(workload(scenario), expected);
    }

    #[test]
    fn servers_are_made_unhealthy_by_their_ids() {
        let list = |id: &str| format!("unhealthyUntilTold: [{id}],");
        let scenario = with("{ports: {8080: http}}", &list("s-00000000000000001")).unwrap();
        assert_eq!(workload(scenario).ailment, Ailment::UntilTold);
        let error = with("{ports: {8080: http}}", &list("s-00000000000000002")).unwrap_err();
        assert!(matches!(error, ScenarioError::NoWorkload(_)), "{error}");
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let refused = |workload, more| with(workload, more).unwrap_err().to_string();
        let error = refused("{ports: {80: http}}", "");
        assert!(error.contains("80") && error.contains("root"), "{error}");
        let error = refused("{ports: {8080: http}, readyAfter: -1}", "");
        assert!(error.contains("readyAfter"), "{error}");
        let both = "{ports: {8080: http}, unhealthyFor: 1, unhealthyUntilTold: true}";
        assert!(refused(both, "").contains("s-00000000000000001"));
        let error = refused("{ports: {8080: http}}", "listen: 10.0.0.0/16,");
        assert!(error.contains("127.N.0.0/16"), "{error}");
    }
}
