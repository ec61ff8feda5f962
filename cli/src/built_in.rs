//! The hooks that come with the program. The demo uses two of them, and
//! `hook push` takes any by its name.

use tidegate_hooks::{Project, encode};

use crate::failure::Failure;

/// A hook that comes with the program.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BuiltIn {
    /// What plans call it.
    pub(crate) name: &'static str,
    project: &'static str,
    module: &'static [u8],
}

macro_rules! built_in {
    ($name:literal) => {
        BuiltIn {
            name: $name,
            project: include_str!(concat!("../../hooks/examples/", $name, "/hook.toml")),
            module: include_bytes!(concat!(env!("OUT_DIR"), "/", $name, ".wasm")),
        }
    };
}

/// Every server answers a health check.
pub(crate) const HTTP_HEALTHY: BuiltIn = built_in!("http-healthy");
/// Every server accepts a connection.
pub(crate) const TCP_REACHABLE: BuiltIn = built_in!("tcp-reachable");

/// All of them, by name.
pub(crate) const ALL: [BuiltIn; 4] = [
    HTTP_HEALTHY,
    built_in!("launch-fresh"),
    built_in!("quorum"),
    TCP_REACHABLE,
];

/// The one of this name.
pub(crate) fn find(name: &str) -> Option<BuiltIn> {
    ALL.into_iter().find(|hook| hook.name == name)
}

impl BuiltIn {
    /// The component.
    ///
    /// # Errors
    /// None for a hook that passed this module's tests.
    pub(crate) fn component(self) -> Result<Vec<u8>, Failure> {
        let project = Project::parse(self.project).expect("the tests have read it");
        encode(self.module, &project.hook)
            .map_err(|error| Failure::Other(format!("hook {}: {error}", self.name)))
    }
}

#[cfg(test)]
mod tests {
    use tidegate_hooks::inspect;

    use super::*;

    #[test]
    fn each_is_the_hook_that_it_is_called() {
        for hook in ALL {
            let component = hook.component().unwrap();
            let inspection = inspect(&component).unwrap();
            assert_eq!(inspection.manifest.name, hook.name);
            assert!(component.len() < 100_000, "{}", component.len());
            assert_eq!(find(hook.name).unwrap().project, hook.project);
        }
        assert!(find("dns").is_none());
    }
}
