//! The directory of the demo's journal.

use std::path::PathBuf;

use crate::connect::fresh_request_id;

/// Where the journal is; a temporary one goes when the demo does.
pub(super) struct Directory {
    /// The directory.
    pub(super) path: PathBuf,
    is_temporary: bool,
}

impl Directory {
    /// The given one, or a temporary one.
    pub(super) fn new(given: Option<PathBuf>) -> Self {
        match given {
            Some(path) => Self {
                path,
                is_temporary: false,
            },
            None => Self {
                path: std::env::temp_dir().join(format!("tidegate-demo-{}", fresh_request_id())),
                is_temporary: true,
            },
        }
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        if self.is_temporary {
            // What cannot be removed is in the directory for temporary files anyway.
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_temporary_directory_is_removed_and_a_given_one_is_not() {
        let temporary = Directory::new(None);
        let path = temporary.path.clone();
        std::fs::create_dir_all(&path).unwrap();
        drop(temporary);
        assert!(!path.exists());
        assert!(!Directory::new(Some(path)).is_temporary);
    }
}
