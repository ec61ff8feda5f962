//! `CheckReadiness`: what would keep a plan from working now.

use std::collections::BTreeMap;

use futures::future::{join, join_all};
use tidegate_core::{
    ExecutionId, SourceServerId,
    plan::{Group, Plan, Selection},
};
use tidegate_proto::v1::{self, ReadinessFinding, readiness_finding::Severity};
use tonic::Status;

use super::stored;
use crate::{
    driver::View,
    grpc::{argument, live, services::Services},
    ports::{
        drs::{Drs, DrsError, ServerQuery, SourceServer},
        hooks::{Fault, Unarmed},
    },
};

pub(super) async fn check(
    services: &Services,
    request: &v1::CheckReadinessRequest,
) -> Result<v1::CheckReadinessResponse, Status> {
    let name = argument::plan_name("name", &request.name)?;
    let plan = stored(services, &name, request.revision).await?.checked;
    let (answers, armed) = join(ask(&*services.drs, &plan), services.hooks.arm(&plan)).await;
    let busy = busy_servers(&live::views(services).await?);
    let mut report = Report::new(&plan, &busy, services.settings.plan_limits.servers);
    for (wave, group, answer) in answers {
        report.group(wave, group, answer);
    }
    for unarmed in armed.err().unwrap_or_default() {
        report.unarmed(&unarmed);
    }
    Ok(report.finish())
}

type Answer<'a> = (&'a str, &'a Group, Result<Vec<SourceServer>, DrsError>);

/// Asks DRS about every group, all at the same time: a plan has few of them
/// per account, and the adapter bounds its own calls.
async fn ask<'a>(drs: &dyn Drs, plan: &'a Plan) -> Vec<Answer<'a>> {
    let groups = plan.waves().iter().flat_map(|wave| {
        let name = wave.name.as_str();
        wave.groups.iter().map(move |group| (name, group))
    });
    let questions = groups.map(|(wave, group)| async move {
        let query = match &group.selection {
            Selection::Servers(servers) => {
                ServerQuery::Ids(servers.iter().map(|server| server.id.clone()).collect())
            }
            Selection::Tags { tags, .. } => ServerQuery::Tags(tags.clone()),
        };
        let answer = drs.source_servers(group.target.clone().into(), query).await;
        (wave, group, answer)
    });
    join_all(questions).await
}

/// The servers of executions that are not over.
fn busy_servers(live: &[View]) -> BTreeMap<SourceServerId, ExecutionId> {
    let mut busy = BTreeMap::new();
    for view in live {
        let execution = &view.execution;
        let selected = execution
            .waves()
            .flat_map(|wave| wave.servers())
            .map(|server| &server.selected.id);
        for id in selected.chain(execution.plan().named_servers()) {
            busy.insert(id.clone(), execution.id().clone());
        }
    }
    busy
}

struct Report<'a> {
    plan: &'a Plan,
    busy: &'a BTreeMap<SourceServerId, ExecutionId>,
    limit: u32,
    /// Where each server was selected first.
    seen: BTreeMap<SourceServerId, &'a str>,
    findings: Vec<ReadinessFinding>,
}

impl<'a> Report<'a> {
    fn new(plan: &'a Plan, busy: &'a BTreeMap<SourceServerId, ExecutionId>, limit: u32) -> Self {
        Self {
            plan,
            busy,
            limit,
            seen: BTreeMap::new(),
            findings: Vec::new(),
        }
    }

    fn group(&mut self, wave: &'a str, group: &Group, answer: Result<Vec<SourceServer>, DrsError>) {
        let found = match answer {
            Ok(found) => found,
            Err(error) => {
                self.add(
                    Severity::Blocking,
                    drs_code(&error),
                    wave,
                    "",
                    error.to_string(),
                );
                return;
            }
        };
        match &group.selection {
            Selection::Servers(wanted) => {
                for missing in wanted
                    .iter()
                    .filter(|it| found.iter().all(|s| s.id != it.id))
                {
                    let severity = if missing.optional {
                        Severity::Warning
                    } else {
                        Severity::Blocking
                    };
                    let place = format!("{} in {}", group.target.account, group.target.region);
                    let message = format!("DRS does not know this server in account {place}");
                    self.add(
                        severity,
                        "SERVER_NOT_FOUND",
                        wave,
                        missing.id.as_str(),
                        message,
                    );
                }
            }
            Selection::Tags { tags, optional } if found.is_empty() => {
                let severity = if *optional {
                    Severity::Warning
                } else {
                    Severity::Blocking
                };
                let message = format!("no source server carries the tags {tags:?}");
                self.add(severity, "NO_SERVERS_SELECTED", wave, "", message);
            }
            Selection::Tags { .. } => {}
        }
        for server in &found {
            self.server(wave, server);
        }
    }

    fn server(&mut self, wave: &'a str, server: &SourceServer) {
        let id = server.id.as_str();
        if let Some(first) = self.seen.insert(server.id.clone(), wave) {
            let message = format!("is also selected by wave {first}; a plan launches it once");
            self.add(
                Severity::Blocking,
                "SERVER_SELECTED_TWICE",
                wave,
                id,
                message,
            );
        }
        if let Some(other) = self.busy.get(&server.id) {
            let message = format!("is in execution {other}, which is not over");
            self.add(Severity::Blocking, "SERVER_BUSY", wave, id, message);
        }
        if let Some(severity) = replication_severity(&server.replication_state) {
            let message = format!(
                "replication is {}, not CONTINUOUS",
                server.replication_state
            );
            self.add(severity, "REPLICATION_NOT_CONTINUOUS", wave, id, message);
        }
        if let (Some(lag), Some(rpo)) = (server.lag, self.plan.objectives().rpo)
            && lag > rpo
        {
            let (lag, rpo) = (lag.as_millis() / 1_000, rpo.as_millis() / 1_000);
            let message = format!("replication lags {lag} s behind; the plan's RPO is {rpo} s");
            self.add(Severity::Warning, "REPLICATION_LAG", wave, id, message);
        }
    }

    fn unarmed(&mut self, unarmed: &Unarmed) {
        let Unarmed {
            field,
            problem,
            fault,
        } = unarmed;
        let code = match fault {
            Fault::Plan => "HOOK_NOT_ARMED",
            Fault::Host | Fault::Exhausted => "HOOK_HOST_UNAVAILABLE",
        };
        let mut waves = self.plan.waves().iter().enumerate();
        let wave = waves.find(|(ix, _)| field.starts_with(&format!("spec.waves[{ix}].")));
        let wave = wave.map_or("", |(_, wave)| wave.name.as_str());
        let message = format!("{field}: {problem}");
        self.add(Severity::Blocking, code, wave, "", message);
    }

    fn add(&mut self, severity: Severity, code: &str, wave: &str, server: &str, message: String) {
        self.findings.push(ReadinessFinding {
            severity: severity.into(),
            code: code.to_owned(),
            wave: wave.to_owned(),
            server: server.to_owned(),
            message,
        });
    }

    fn finish(mut self) -> v1::CheckReadinessResponse {
        let count = u32::try_from(self.seen.len()).unwrap_or(u32::MAX);
        if count > self.limit {
            let message = format!("{count} servers are above the limit of {}", self.limit);
            self.add(Severity::Blocking, "TOO_MANY_SERVERS", "", "", message);
        }
        self.findings
            .sort_by_key(|it| std::cmp::Reverse(it.severity));
        let blocking = |it: &ReadinessFinding| it.severity() == Severity::Blocking;
        v1::CheckReadinessResponse {
            ready: !self.findings.iter().any(blocking),
            findings: self.findings,
            server_count: count,
        }
    }
}

/// How bad a replication state is; `None` if it is as it should be. Before the
/// first synchronisation has ended there is nothing to launch from; in all
/// other states older snapshots are. States that DRS adds count as those.
fn replication_severity(state: &str) -> Option<Severity> {
    match state {
        "CONTINUOUS" => None,
        "STOPPED" | "INITIATING" | "INITIAL_SYNC" => Some(Severity::Blocking),
        _ => Some(Severity::Warning),
    }
}

fn drs_code(error: &DrsError) -> &'static str {
    match error {
        DrsError::Throttled { .. } => "DRS_THROTTLED",
        DrsError::Denied { .. } => "DRS_DENIED",
        DrsError::Refused { .. } => "DRS_REFUSED",
        DrsError::Failed { .. } => "DRS_UNREACHABLE",
    }
}

#[cfg(test)]
mod tests {
    use tidegate_core::Span;

    use super::*;
    use crate::grpc::fixtures;

    fn server(id: &str, state: &str, lag: u64) -> SourceServer {
        SourceServer {
            id: SourceServerId::from(id),
            hostname: String::new(),
            tags: BTreeMap::new(),
            replication_state: state.to_owned(),
            lag: Some(Span::from_secs(lag)),
        }
    }

    fn report(
        database: Result<Vec<SourceServer>, DrsError>,
        web: Vec<SourceServer>,
        busy: &[&str],
    ) -> v1::CheckReadinessResponse {
        let plan = fixtures::checked_shop();
        let busy = busy
            .iter()
            .map(|&id| {
                (
                    SourceServerId::from(id),
                    ExecutionId::from(fixtures::EXECUTION),
                )
            })
            .collect();
        let mut report = Report::new(&plan, &busy, 5_000);
        report.group("database", &plan.waves()[0].groups[0], database);
        report.group("web", &plan.waves()[1].groups[0], Ok(web));
        report.finish()
    }

    fn codes(response: &v1::CheckReadinessResponse) -> Vec<&str> {
        response
            .findings
            .iter()
            .map(|it| it.code.as_str())
            .collect()
    }

    const ONE: &str = "s-00000000000000001";
    const TWO: &str = "s-00000000000000002";
    const DB: &str = "s-000000000000000db";

    #[test]
    fn a_plan_whose_servers_replicate_is_ready() {
        let found = report(
            Ok(vec![server(DB, "CONTINUOUS", 0)]),
            vec![server(ONE, "CONTINUOUS", 0), server(TWO, "CONTINUOUS", 5)],
            &[],
        );
        assert!(found.ready);
        assert_eq!((codes(&found).len(), found.server_count), (0, 3));
    }

    #[test]
    fn what_is_found_is_listed_worst_first() {
        let found = report(Ok(vec![]), vec![server(ONE, "STALLED", 600)], &[ONE]);
        assert!(!found.ready);
        assert_eq!(
            codes(&found),
            [
                "NO_SERVERS_SELECTED",
                "SERVER_BUSY",
                "SERVER_NOT_FOUND",
                "REPLICATION_NOT_CONTINUOUS",
                "REPLICATION_LAG",
            ]
        );
        assert_eq!(found.findings[2].server, TWO);
        assert_eq!(
            found.findings[2].severity(),
            Severity::Warning,
            "it is optional"
        );
    }

    #[test]
    fn a_server_without_its_first_synchronisation_cannot_be_launched() {
        let found = report(Ok(vec![server(DB, "INITIAL_SYNC", 0)]), vec![], &[]);
        assert_eq!(found.findings[0].severity(), Severity::Blocking);
    }

    #[test]
    fn a_hook_that_is_not_ready_blocks_and_is_found_at_its_wave() {
        let plan = fixtures::checked_shop();
        let busy = BTreeMap::new();
        let mut report = Report::new(&plan, &busy, 5_000);
        for (field, fault) in [
            ("spec.waves[1].verify[0].hook", Fault::Plan),
            ("spec.endpoints[0].host", Fault::Plan),
            ("spec.waves[1].verify[0].digest", Fault::Host),
        ] {
            report.unarmed(&Unarmed {
                field: field.to_owned(),
                problem: "is gone".to_owned(),
                fault,
            });
        }
        let found = report.finish();
        assert!(!found.ready);
        assert_eq!(
            codes(&found),
            ["HOOK_NOT_ARMED", "HOOK_NOT_ARMED", "HOOK_HOST_UNAVAILABLE"]
        );
        let waves: Vec<&str> = found.findings.iter().map(|it| it.wave.as_str()).collect();
        assert_eq!(waves, ["web", "", "web"]);
        let message = &found.findings[0].message;
        assert_eq!(message, "spec.waves[1].verify[0].hook: is gone");
    }

    #[test]
    fn what_drs_does_not_answer_blocks() {
        let denied = DrsError::Denied {
            operation: "DescribeSourceServers",
            target: "123456789012/us-west-2".to_owned(),
            message: "no".to_owned(),
        };
        let found = report(Err(denied), vec![server(ONE, "CONTINUOUS", 0)], &[]);
        assert_eq!(codes(&found)[0], "DRS_DENIED");
        assert!(!found.ready);
    }
}
