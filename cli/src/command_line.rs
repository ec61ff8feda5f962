//! Spells the exact commands that a person may type next.

use tidegate_proto::v1::{Action, AllowedAction};

use crate::connect::DEFAULT_ADDRESS;

/// How commands are spelled here: with the address, unless the next command
/// finds the gateway without it.
#[derive(Clone, Debug, Default)]
pub(crate) struct CommandLine {
    address: Option<String>,
}

impl CommandLine {
    /// For a gateway at `address`.
    pub(crate) fn new(address: &str) -> Self {
        let found_anyway = std::env::var("TIDEGATE_ADDRESS")
            .map_or(address == DEFAULT_ADDRESS, |from_env| from_env == address);
        Self {
            address: (!found_anyway).then(|| address.to_owned()),
        }
    }

    /// A whole command.
    pub(crate) fn line(&self, verb: &str) -> String {
        match &self.address {
            Some(address) => format!("tidegate {verb} --address {address}"),
            None => format!("tidegate {verb}"),
        }
    }

    /// Follows an execution again.
    pub(crate) fn watch(&self, id: &str) -> String {
        self.line(&format!("execution watch {id}"))
    }

    /// Resumes an execution.
    pub(crate) fn resume(&self, id: &str) -> String {
        self.line(&format!("execution resume {id}"))
    }

    /// The commands for what the gateway allows now. One that is allowed for
    /// several waves is one line.
    pub(crate) fn allowed(&self, actions: &[AllowedAction], id: &str) -> Vec<String> {
        let mut lines = Vec::new();
        let mut seen = Vec::new();
        for action in actions.iter().map(AllowedAction::action) {
            if seen.contains(&action) {
                continue;
            }
            seen.push(action);
            let same = actions.iter().filter(|other| other.action() == action);
            let waves: Vec<&str> = same.map(|other| other.wave.as_str()).collect();
            let line = match waves.as_slice() {
                [wave] => self.spelled(action, wave, id),
                many => self
                    .spelled(action, "WAVE", id)
                    .map(|line| format!("{line}  (WAVE: {})", many.join(", "))),
            };
            lines.extend(line);
        }
        lines
    }

    /// The same for a list as an error's metadata has it:
    /// `RESUME,SKIP_WAVE:web`.
    pub(crate) fn named(&self, list: &str, id: &str) -> Vec<String> {
        let actions: Vec<AllowedAction> = list.split(',').filter_map(parsed).collect();
        self.allowed(&actions, id)
    }

    fn spelled(&self, action: Action, wave: &str, id: &str) -> Option<String> {
        let verb = match action {
            Action::Unspecified => return None,
            Action::Pause => format!("execution pause {id}"),
            Action::Resume => format!("execution resume {id}"),
            Action::Cancel => format!("execution cancel {id}"),
            Action::RetryWave => format!("execution retry {id} {wave}"),
            Action::SkipWave => format!("execution skip {id} {wave}"),
            Action::CleanUp => format!("execution cleanup {id}"),
        };
        Some(self.line(&verb))
    }
}

/// `RESUME`, `ACTION_RESUME` or `SKIP_WAVE:web`; `None` for what a newer
/// gateway may allow.
fn parsed(text: &str) -> Option<AllowedAction> {
    let (name, wave) = text.trim().split_once(':').unwrap_or((text.trim(), ""));
    let action =
        Action::from_str_name(name).or_else(|| Action::from_str_name(&format!("ACTION_{name}")))?;
    Some(AllowedAction {
        action: action.into(),
        wave: wave.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_in_the_command_if_it_is_needed() {
        let here = CommandLine::default();
        assert_eq!(here.resume("01J"), "tidegate execution resume 01J");
        let there = CommandLine {
            address: Some("http://127.0.0.1:9".to_owned()),
        };
        assert_eq!(
            there.resume("01J"),
            "tidegate execution resume 01J --address http://127.0.0.1:9"
        );
    }

    #[test]
    fn actions_are_understood_in_each_spelling() {
        let here = CommandLine::default();
        let skip = ["tidegate execution skip 01J web"];
        assert_eq!(here.named("SKIP_WAVE:web", "01J"), skip);
        assert_eq!(
            here.named("ACTION_SKIP_WAVE:web,SOMETHING_NEW", "01J"),
            skip
        );
        assert!(here.named("", "01J").is_empty());
    }

    #[test]
    fn an_action_on_several_waves_is_one_line() {
        let lines = CommandLine::default().named("CANCEL,SKIP_WAVE:a,SKIP_WAVE:b", "01J");
        assert_eq!(
            lines,
            [
                "tidegate execution cancel 01J",
                "tidegate execution skip 01J WAVE  (WAVE: a, b)"
            ]
        );
    }
}
