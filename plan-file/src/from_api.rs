//! From the API's message to a plan file: the inverse of [`super::to_api`], so
//! that what `plan get -o yaml` prints applies back to the same digest.

use tidegate_proto::v1;

use super::{
    duration::PlanDuration,
    hooks::api,
    servers::{ServerEntry, Servers},
    syntax::{
        ApiVersion, Group, Kind, Metadata, Objectives, OnFailure, PlanFile, Priority, Retry, Spec,
        Target, UnknownLaunch, Wave,
    },
    to_api::plan_duration,
};

/// The file for a plan of the API.
#[must_use]
pub fn file(plan: &v1::Plan) -> PlanFile {
    PlanFile {
        api_version: ApiVersion::V1,
        kind: Kind::Plan,
        metadata: Metadata {
            name: plan.name.clone(),
            labels: plan.labels.clone().into_iter().collect(),
        },
        spec: spec(plan.spec.as_ref().unwrap_or(&v1::PlanSpec::default())),
    }
}

fn spec(spec: &v1::PlanSpec) -> Spec {
    Spec {
        description: text(&spec.description),
        objectives: spec.objectives.as_ref().map(|objectives| Objectives {
            rto: duration(objectives.rto),
            rpo: duration(objectives.rpo),
        }),
        target: spec.target.as_ref().map(target),
        timeout: duration(spec.timeout),
        unknown_launch: match spec.unknown_launch() {
            v1::UnknownLaunchPolicy::Unspecified => None,
            v1::UnknownLaunchPolicy::AskAgain => Some(UnknownLaunch::AskAgain),
            v1::UnknownLaunchPolicy::AskPerson => Some(UnknownLaunch::AskPerson),
        },
        priority: match spec.priority() {
            v1::Priority::Unspecified => None,
            v1::Priority::Low => Some(Priority::Low),
            v1::Priority::Normal => Some(Priority::Normal),
            v1::Priority::High => Some(Priority::High),
        },
        waves: spec.waves.iter().map(wave).collect(),
        endpoints: spec.endpoints.iter().map(api::from_endpoint).collect(),
    }
}

fn target(target: &v1::Target) -> Target {
    Target {
        account: text(&target.account),
        region: text(&target.region),
        role: text(&target.role_arn),
    }
}

fn wave(wave: &v1::WaveSpec) -> Wave {
    Wave {
        name: wave.name.clone(),
        after: wave.after.clone(),
        servers: Servers(wave.servers.iter().map(group).collect()),
        target: wave.target.as_ref().map(target),
        check: wave.check.iter().map(api::from_use).collect(),
        verify: wave.verify.iter().map(api::from_use).collect(),
        pause_before: wave.pause_before,
        on_failure: match wave.on_failure() {
            v1::FailurePolicy::Unspecified => None,
            v1::FailurePolicy::Stop => Some(OnFailure::Stop),
            v1::FailurePolicy::Continue => Some(OnFailure::Continue),
            v1::FailurePolicy::Pause => Some(OnFailure::Pause),
        },
        tolerance: wave.tolerance,
        retry: wave.retry.as_ref().map(|retry| Retry {
            limit: retry.limit,
            backoff: duration(retry.backoff),
            max_backoff: duration(retry.max_backoff),
        }),
        timeout: duration(wave.timeout),
        gate_timeout: duration(wave.gate_timeout),
    }
}

fn group(group: &v1::ServerGroup) -> Group {
    Group {
        ids: group
            .servers
            .iter()
            .map(|server| ServerEntry {
                id: server.id.clone(),
                optional: server.optional,
                snapshot: text(&server.snapshot_id),
            })
            .collect(),
        tags: group.tags.clone().into_iter().collect(),
        target: group.target.as_ref().map(target),
        optional: group.optional,
    }
}

/// A text that is there.
pub(super) fn text(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// A file's form of a duration that is there.
pub(super) fn duration(duration: Option<prost_types::Duration>) -> Option<PlanDuration> {
    duration.map(plan_duration)
}

#[cfg(test)]
mod tests {
    use crate::{parse, to_api, to_yaml};

    /// Every field of the format, and every policy.
    const EVERYTHING: &str = r#"
apiVersion: tidegate/v1
kind: Plan
metadata: {name: everything, labels: {env: prod, "yes": "no"}}
spec:
  description: "a: b # c"
  objectives: {rto: 15m, rpo: 1m30s}
  target: {account: "012345678901", region: us-west-2, role: "arn:aws:iam::012345678901:role/x"}
  timeout: 2h
  unknownLaunch: askPerson
  priority: high
  endpoints:
    - {name: ledger, scheme: https, host: ledger.example.com, port: 443, pathPrefix: /health, cidrs: [10.1.0.0/16], caPem: "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n", serverName: ledger}
    - {name: queue, scheme: tcp, host: 10.1.2.3, port: 5672}
    - {name: page, scheme: http, host: page.example.com, port: 80}
  waves:
    - name: database
      servers: {tags: {app: shop, port: 5432, on: true}, optional: true}
      check: [{hook: quota, digest: "sha256:00", onFailure: abort}]
      verify: [{hook: tcp, config: {port: 5432, ratio: 0.5}, timeout: 5m, retries: 0, onFailure: hold}]
      gateTimeout: 20m
      retry: {limit: 3, backoff: 500ms, maxBackoff: 10m}
      onFailure: pause
      tolerance: 2
    - name: web
      after: [database]
      servers:
        - {ids: [s-1, {id: s-2, optional: true, snapshot: pit-3}], target: {region: us-east-2}}
        - tags: {app: web}
      pauseBefore: true
      onFailure: continue
      target: {account: "000000000001"}
      timeout: 15m
      verify:
        - hook: everything
          ports: [5432, 22]
          endpoints: [ledger]
          allowWasi: true
          limits: {attemptTimeout: 30s, fuel: 100000000000, memoryMib: 256}
          onFailure: {default: retry, timeout: waive, probe-denied: abort, error: hold}
        - {hook: no-default, onFailure: {host: retry}, limits: {}}
"#;

    #[test]
    fn a_written_file_reads_back_as_the_same_plan() {
        let plan = to_api::plan(parse(EVERYTHING).unwrap());
        let yaml = to_yaml(&super::file(&plan));
        let again = to_api::plan(parse(&yaml).unwrap());
        assert_eq!(plan, again, "{yaml}");
        assert_eq!(yaml, to_yaml(&super::file(&again)), "canonical");
    }

    #[test]
    fn the_shortest_time_is_not_written_as_none() {
        let mut plan = to_api::plan(parse(EVERYTHING).unwrap());
        let spec = plan.spec.as_mut().unwrap();
        spec.timeout = Some(prost_types::Duration {
            seconds: 0,
            nanos: 1,
        });
        assert!(to_yaml(&super::file(&plan)).contains("timeout: 1ms"));
    }

    #[test]
    fn scalars_keep_their_spelling() {
        let plan = to_api::plan(parse(EVERYTHING).unwrap());
        let waves = plan.spec.unwrap().waves;
        assert_eq!(waves[0].servers[0].tags["port"], "5432");
        assert_eq!(waves[0].servers[0].tags["on"], "true");
        assert_eq!(waves[0].verify[0].config["ratio"], "0.5");
        assert_eq!(waves[0].verify[0].retries, Some(0));
    }
}
