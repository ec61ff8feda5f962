//! Spells the exact commands that a person may type next.

use tidegate_proto::v1::{Action, AllowedAction};

use crate::connect::{ConnectArgs, DEFAULT_ADDRESS};

/// How commands are spelled here: with the way to the gateway, as far as the
/// next command does not find it without being told.
#[derive(Clone, Debug, Default)]
pub(crate) struct CommandLine {
    /// Behind every command, each with a space before it.
    way: String,
}

impl CommandLine {
    /// For the gateway that these arguments lead to.
    pub(crate) fn new(args: &ConnectArgs) -> Self {
        Self::with(args, |name| std::env::var(name).ok())
    }

    /// The same; `get` reads a variable of the environment, in which the next
    /// command will look, too.
    fn with(args: &ConnectArgs, get: impl Fn(&str) -> Option<String>) -> Self {
        let mut way = String::new();
        let address = get("TIDEGATE_ADDRESS").unwrap_or_else(|| DEFAULT_ADDRESS.to_owned());
        if args.address != address {
            way += &format!(" --address {}", quoted(&args.address));
        }
        let files = [
            ("--tls-ca", "TIDEGATE_TLS_CA", &args.tls_ca),
            ("--tls-cert", "TIDEGATE_TLS_CERT", &args.tls_cert),
            ("--tls-key", "TIDEGATE_TLS_KEY", &args.tls_key),
        ];
        for (flag, variable, file) in files {
            let Some(file) = file.as_ref().map(|file| file.display().to_string()) else {
                continue;
            };
            if get(variable).as_ref() != Some(&file) {
                way += &format!(" {flag} {}", quoted(&file));
            }
        }
        Self { way }
    }

    /// A whole command.
    pub(crate) fn line(&self, verb: &str) -> String {
        format!("tidegate {verb}{}", self.way)
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

/// As a shell takes it for one word.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-:@%+=,".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
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

    fn args(address: &str, tls: [Option<&str>; 3]) -> ConnectArgs {
        let [tls_ca, tls_cert, tls_key] = tls.map(|file| file.map(Into::into));
        ConnectArgs {
            address: address.to_owned(),
            tls_ca,
            tls_cert,
            tls_key,
        }
    }

    #[test]
    fn the_address_is_in_the_command_if_it_is_needed() {
        let here = CommandLine::default();
        assert_eq!(here.resume("01J"), "tidegate execution resume 01J");
        let address = "http://127.0.0.1:9";
        let there = CommandLine::with(&args(address, [None; 3]), |_| None);
        assert_eq!(
            there.resume("01J"),
            "tidegate execution resume 01J --address http://127.0.0.1:9"
        );
        let known = |name: &str| (name == "TIDEGATE_ADDRESS").then(|| address.to_owned());
        let known = CommandLine::with(&args(address, [None; 3]), known);
        assert_eq!(known.resume("01J"), "tidegate execution resume 01J");
    }

    #[test]
    fn files_of_tls_are_in_the_command_unless_the_environment_has_them() {
        let tls = [Some("ca.pem"), Some("my cert.pem"), Some("my.key")];
        let given = CommandLine::with(&args(DEFAULT_ADDRESS, tls), |_| None);
        assert_eq!(
            given.resume("01J"),
            "tidegate execution resume 01J --tls-ca ca.pem --tls-cert 'my cert.pem' \
             --tls-key my.key"
        );
        let known = |name: &str| match name {
            "TIDEGATE_TLS_CA" => Some("ca.pem".to_owned()),
            "TIDEGATE_TLS_KEY" => Some("another.key".to_owned()),
            _ => None,
        };
        let known = CommandLine::with(&args(DEFAULT_ADDRESS, tls), known);
        assert_eq!(
            known.resume("01J"),
            "tidegate execution resume 01J --tls-cert 'my cert.pem' --tls-key my.key"
        );
    }

    #[test]
    fn a_quote_in_a_files_name_stays_one_word() {
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted("/etc/ca.pem"), "/etc/ca.pem");
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
