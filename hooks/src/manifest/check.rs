//! What a manifest must be like.

use thiserror::Error;

use super::{Manifest, Need, NeedTarget};
use crate::Phase;

/// Bytes of the section.
const SECTION_BYTES: usize = 64 << 10;

/// Bytes of a hook's or a parameter's name, as of a DNS label.
const NAME_BYTES: usize = 63;

/// Bytes of a version.
const VERSION_BYTES: usize = 64;

/// Bytes of a description or a reason.
const LINE_BYTES: usize = 300;

/// Probes that a hook may need.
const NEEDS: usize = 64;

/// Why a manifest is not one. Each names the field and says what to write.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ManifestError {
    /// The section is too long.
    #[error("the manifest has {bytes} bytes; at most {SECTION_BYTES} are allowed")]
    TooLong {
        /// What it has.
        bytes: usize,
    },
    /// It is not JSON of the right shape; serde names the field.
    #[error("the manifest is not as it should be: {0}")]
    Shape(String),
    /// A name does not look like one.
    #[error(
        "{field}: {found:?} is not a name; write lower case letters, digits and `-`, a letter \
         first, at most {NAME_BYTES}"
    )]
    Name {
        /// Where.
        field: String,
        /// What stands there.
        found: String,
    },
    /// Nothing stands where something must.
    #[error("{field}: is empty; write {wanted}")]
    Empty {
        /// Where.
        field: String,
        /// What to write.
        wanted: &'static str,
    },
    /// Text of several lines, with control characters, or too long.
    #[error("{field}: must be one line of at most {most} bytes without control characters")]
    Line {
        /// Where.
        field: String,
        /// Bytes.
        most: usize,
    },
    /// A phase is there twice.
    #[error("phases: {0:?} is there twice; remove one")]
    PhaseTwice(&'static str),
    /// More needs than anyone reads.
    #[error("needs: has {count} entries; at most {NEEDS} are allowed")]
    TooManyNeeds {
        /// What it has.
        count: usize,
    },
    /// Port 0.
    #[error("{field}: 0 is not a port; write 1 to 65535")]
    Port {
        /// Where.
        field: String,
    },
}

pub(super) fn parse(json: &[u8]) -> Result<Manifest, ManifestError> {
    if json.len() > SECTION_BYTES {
        return Err(ManifestError::TooLong { bytes: json.len() });
    }
    let mut reader = serde_json::Deserializer::from_slice(json);
    let manifest: Manifest = serde_path_to_error::deserialize(&mut reader)
        .map_err(|error| ManifestError::Shape(error.to_string()))?;
    reader
        .end()
        .map_err(|error| ManifestError::Shape(error.to_string()))?;
    check(&manifest)?;
    Ok(manifest)
}

pub(super) fn check(manifest: &Manifest) -> Result<(), ManifestError> {
    name("name", &manifest.name)?;
    filled(
        "version",
        &manifest.version,
        "the author's version of the hook",
    )?;
    line("version", &manifest.version, VERSION_BYTES)?;
    line("description", &manifest.description, LINE_BYTES)?;
    if manifest.phases.is_empty() {
        return Err(ManifestError::Empty {
            field: "phases".to_owned(),
            wanted: "\"pre-wave\", \"post-wave\" or both",
        });
    }
    for (index, phase) in manifest.phases.iter().enumerate() {
        if manifest.phases[..index].contains(phase) {
            return Err(ManifestError::PhaseTwice(match phase {
                Phase::PreWave => "pre-wave",
                Phase::PostWave => "post-wave",
            }));
        }
    }
    if manifest.needs.len() > NEEDS {
        return Err(ManifestError::TooManyNeeds {
            count: manifest.needs.len(),
        });
    }
    (manifest.needs.iter().enumerate()).try_for_each(|(index, item)| need(index, item))
}

fn need(index: usize, need: &Need) -> Result<(), ManifestError> {
    let field = |rest: &str| format!("needs[{index}].{rest}");
    filled(
        &field("reason"),
        &need.reason,
        "why the hook needs it, for whoever grants it",
    )?;
    line(&field("reason"), &need.reason, LINE_BYTES)?;
    match &need.target {
        NeedTarget::Port(0) => Err(ManifestError::Port {
            field: field("target.port"),
        }),
        NeedTarget::Port(_) => Ok(()),
        NeedTarget::PortParameter(parameter) => name(&field("target.port-parameter"), parameter),
        NeedTarget::EndpointParameter(parameter) => {
            name(&field("target.endpoint-parameter"), parameter)
        }
    }
}

fn name(field: &str, text: &str) -> Result<(), ManifestError> {
    let bytes = text.as_bytes();
    let first = bytes.first().is_some_and(u8::is_ascii_lowercase);
    let rest = bytes
        .iter()
        .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    if first && rest && bytes.len() <= NAME_BYTES {
        return Ok(());
    }
    Err(ManifestError::Name {
        field: field.to_owned(),
        found: text.chars().take(NAME_BYTES + 1).collect(),
    })
}

fn filled(field: &str, text: &str, wanted: &'static str) -> Result<(), ManifestError> {
    if text.trim().is_empty() {
        return Err(ManifestError::Empty {
            field: field.to_owned(),
            wanted,
        });
    }
    Ok(())
}

fn line(field: &str, text: &str, most: usize) -> Result<(), ManifestError> {
    if text.len() > most || text.chars().any(char::is_control) {
        return Err(ManifestError::Line {
            field: field.to_owned(),
            most,
        });
    }
    Ok(())
}
