//! `tidegate plan graph`.

use std::{collections::BTreeMap, fmt::Write as _, path::Path};

use clap::ValueEnum;
use tidegate_plan_file::Written;
use tidegate_proto::v1::{Plan, WaveSpec};

use super::stored;
use crate::{
    failure::{Exit, Failure},
    session::Session,
};

/// Draw the graph of a plan's waves.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Graph {
    /// A plan file, - for the standard input, or the name of a stored plan.
    #[arg(value_name = "PLAN|FILE")]
    plan: String,
    /// How it is drawn.
    #[arg(long, value_enum, default_value_t)]
    format: Drawing,
}

/// Forms of a graph.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Drawing {
    /// Waves that can run at the same time, level by level.
    #[default]
    Text,
    /// For Graphviz.
    Dot,
    /// For Mermaid.
    Mermaid,
}

impl Graph {
    /// Runs the verb.
    pub(super) async fn run(self, session: &Session) -> Result<Exit, Failure> {
        let plan = if is_file(&self.plan) {
            Written::read(&self.plan)?.plan
        } else {
            stored::get(session, &self.plan, 0).await?
        };
        let waves = plan.spec.as_ref().map_or(&[][..], |spec| &spec.waves);
        session.printer.data(&match self.format {
            Drawing::Text => text(&plan, waves),
            Drawing::Dot => dot(&plan, waves),
            Drawing::Mermaid => mermaid(waves),
        })?;
        Ok(Exit::Ok)
    }
}

/// A plan's name has no dot and no slash.
fn is_file(argument: &str) -> bool {
    argument == "-" || argument.contains(['.', '/']) || Path::new(argument).is_file()
}

/// Levels: a wave is one below the deepest wave that it waits for. Waves that
/// wait for each other have none.
fn levels(waves: &[WaveSpec]) -> BTreeMap<&str, usize> {
    let mut levels: BTreeMap<&str, usize> = BTreeMap::new();
    loop {
        let before = levels.len();
        for wave in waves {
            let level = wave.after.iter().try_fold(0, |deepest: usize, name| {
                Some(deepest.max(levels.get(name.as_str())? + 1))
            });
            if let Some(level) = level {
                levels.entry(&wave.name).or_insert(level);
            }
        }
        if levels.len() == before {
            return levels;
        }
    }
}

fn text(plan: &Plan, waves: &[WaveSpec]) -> String {
    let levels = levels(waves);
    let mut out = format!("plan {}: {} waves\n", plan.name, waves.len());
    let deepest = levels.values().max().map_or(0, |level| level + 1);
    for level in 0..deepest {
        let members = waves
            .iter()
            .filter(|wave| levels.get(wave.name.as_str()) == Some(&level));
        for (nth, wave) in members.enumerate() {
            let number = if nth == 0 {
                (level + 1).to_string()
            } else {
                String::new()
            };
            let _ = writeln!(out, "{number:>3}  {}", described(wave));
        }
    }
    for wave in waves {
        if !levels.contains_key(wave.name.as_str()) {
            let _ = writeln!(out, "  ?  {}  (never starts)", described(wave));
        }
    }
    out
}

fn described(wave: &WaveSpec) -> String {
    let mut text = wave.name.clone();
    if !wave.servers.is_empty() {
        let _ = write!(text, "  {}", tidegate_plan_file::selection(wave));
    }
    if !wave.after.is_empty() {
        let _ = write!(text, "  <- {}", wave.after.join(", "));
    }
    if wave.pause_before {
        text.push_str("  (pauses before)");
    }
    text
}

fn dot(plan: &Plan, waves: &[WaveSpec]) -> String {
    let mut out = format!(
        "digraph {:?} {{\n  rankdir=LR;\n  node [shape=box];\n",
        plan.name
    );
    for wave in waves {
        let style = if wave.pause_before {
            " [peripheries=2]"
        } else {
            ""
        };
        let _ = writeln!(out, "  {:?}{style};", wave.name);
        for name in &wave.after {
            let _ = writeln!(out, "  {name:?} -> {:?};", wave.name);
        }
    }
    out.push_str("}\n");
    out
}

fn mermaid(waves: &[WaveSpec]) -> String {
    let mut out = "flowchart LR\n".to_owned();
    // "end" and the like are words of Mermaid's own: nodes are numbered.
    let number = |name: &str| waves.iter().position(|wave| wave.name == name);
    for (nth, wave) in waves.iter().enumerate() {
        let label = wave.name.replace('"', "'");
        let shape = if wave.pause_before {
            format!("[[\"{label}\"]]")
        } else {
            format!("[\"{label}\"]")
        };
        let _ = writeln!(out, "  w{nth}{shape}");
        for dependency in wave.after.iter().filter_map(|name| number(name)) {
            let _ = writeln!(out, "  w{dependency} --> w{nth}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wave(name: &str, after: &[&str]) -> WaveSpec {
        WaveSpec {
            name: name.to_owned(),
            after: after.iter().map(|&name| name.to_owned()).collect(),
            pause_before: name == "web",
            ..WaveSpec::default()
        }
    }

    fn diamond() -> (Plan, Vec<WaveSpec>) {
        let plan = Plan {
            name: "diamond".to_owned(),
            ..Plan::default()
        };
        let waves = vec![
            wave("web", &["orders", "search"]),
            wave("database", &[]),
            wave("orders", &["database"]),
            wave("search", &["database"]),
        ];
        (plan, waves)
    }

    #[test]
    fn the_text_shows_what_can_run_at_the_same_time() {
        let (plan, waves) = diamond();
        insta::assert_snapshot!(text(&plan, &waves), @r#"
        plan diamond: 4 waves
          1  database
          2  orders  <- database
             search  <- database
          3  web  <- orders, search  (pauses before)
        "#);
    }

    #[test]
    fn drawings_have_every_edge() {
        let (plan, waves) = diamond();
        insta::assert_snapshot!(dot(&plan, &waves), @r#"
        digraph "diamond" {
          rankdir=LR;
          node [shape=box];
          "web" [peripheries=2];
          "orders" -> "web";
          "search" -> "web";
          "database";
          "orders";
          "database" -> "orders";
          "search";
          "database" -> "search";
        }
        "#);
        insta::assert_snapshot!(mermaid(&waves), @r#"
        flowchart LR
          w0[["web"]]
          w2 --> w0
          w3 --> w0
          w1["database"]
          w2["orders"]
          w1 --> w2
          w3["search"]
          w1 --> w3
        "#);
    }

    #[test]
    fn waves_that_wait_for_each_other_are_no_endless_loop() {
        let waves = [wave("a", &["b"]), wave("b", &["a"]), wave("c", &["nobody"])];
        let shown = text(&Plan::default(), &waves);
        assert_eq!(shown.matches("never starts").count(), 3);
    }

    #[test]
    fn a_name_is_not_a_file() {
        assert!(!is_file("shop"));
        assert!(is_file("shop.yaml"));
        assert!(is_file("./shop"));
        assert!(is_file("-"));
    }
}
