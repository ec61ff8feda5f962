//! Certificates that a plan file names by their file.

use std::{
    fs::File,
    io::{self, Read as _},
    path::Path,
};

use super::{hooks::Endpoint, locate::Places, mistake::Mistake, read::Source, syntax::PlanFile};

/// A file may have this many bytes; the gateway takes no more either.
const MAX_BYTES: u64 = 64 << 10;

/// How a file is read.
pub(super) type Read = fn(&Path) -> io::Result<String>;

/// Reads every `caFile` into its `caPem`.
///
/// # Errors
/// Every file that cannot be read, shown where the plan names it.
pub(super) fn inline(file: &mut PlanFile, source: &Source, read: Read) -> Result<(), Vec<Mistake>> {
    let mut mistakes = Vec::new();
    for (ix, endpoint) in file.spec.endpoints.iter_mut().enumerate() {
        if let Err(text) = inline_one(endpoint, source, read) {
            let field = format!("spec.endpoints[{ix}].ca_file");
            mistakes.push(Mistake {
                text: format!("{field}: {text}"),
                place: Places::of(&source.text).find(&field),
                help: None,
            });
        }
    }
    if mistakes.is_empty() {
        Ok(())
    } else {
        Err(mistakes)
    }
}

fn inline_one(endpoint: &mut Endpoint, source: &Source, read: Read) -> Result<(), String> {
    let Some(name) = endpoint.ca_file.take() else {
        return Ok(());
    };
    if endpoint.ca_pem.is_some() {
        return Err("give caPem or caFile, not both".to_owned());
    }
    let folder = Path::new(&source.name).parent().unwrap_or(Path::new(""));
    let path = folder.join(name);
    let text = read(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    endpoint.ca_pem = Some(text);
    Ok(())
}

/// For plans of people who work on this machine.
pub(super) fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    let mut file = File::open(path)?.take(MAX_BYTES + 1);
    if file.read_to_string(&mut text)? as u64 > MAX_BYTES {
        let text = format!("it is larger than {} KiB", MAX_BYTES >> 10);
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, text));
    }
    Ok(text)
}

/// For plans of anybody else.
pub(super) fn refuse(_path: &Path) -> io::Result<String> {
    let text = "files are not read here; write it into caPem";
    Err(io::Error::new(io::ErrorKind::Unsupported, text))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use crate::{Source, Written};

    const PEM: &str = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n";

    /// A plan in the folder, with an endpoint whose authority is this.
    fn plan(folder: &tempfile::TempDir, authority: &str) -> Source {
        Source {
            name: folder.path().join("plan.yaml").display().to_string(),
            text: format!(
                "apiVersion: tidegate/v1\nkind: Plan\nmetadata: {{name: a}}\nspec:\n  endpoints:\n    \
                 - {{name: ledger, scheme: https, host: h.example.com, port: 443, {authority}}}\n  \
                 waves: []\n"
            ),
        }
    }

    fn refusal(folder: &tempfile::TempDir, authority: &str) -> String {
        let failure = Written::parse(plan(folder, authority)).unwrap_err();
        let name = folder.path().display().to_string();
        failure.to_string().replace(&name, "FOLDER")
    }

    #[test]
    fn an_authority_is_read_from_beside_the_plan() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("tls")).unwrap();
        fs::write(folder.path().join("tls/ca.pem"), PEM).unwrap();
        let written = Written::parse(plan(&folder, "caFile: tls/ca.pem")).unwrap();
        let spec = written.plan.spec.unwrap();
        assert_eq!(spec.endpoints[0].ca_pem, PEM);
    }

    #[test]
    fn a_file_that_cannot_be_read_is_shown_where_it_is_named() {
        let folder = tempfile::tempdir().unwrap();
        insta::assert_snapshot!(refusal(&folder, "caFile: ca.pem"), @r#"
        spec.endpoints[0].ca_file: cannot read FOLDER/ca.pem: No such file or directory (os error 2)
          --> FOLDER/plan.yaml:6:69
           |
         6 | ame: ledger, scheme: https, host: h.example.com, port: 443, caFile: ca.pem}
           |                                                             ^^^^^^
        "#);
    }

    #[test]
    fn a_foreign_plan_reads_no_file() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("ca.pem"), PEM).unwrap();
        let source = plan(&folder, "caFile: ca.pem");
        let refused = Written::parse_foreign(&source.name, source.text.into_bytes());
        let text = refused.unwrap_err().to_string();
        assert!(text.contains("files are not read here"), "{text}");
    }

    #[test]
    fn one_authority_is_enough() {
        let folder = tempfile::tempdir().unwrap();
        let text = refusal(&folder, "caPem: x, caFile: ca.pem");
        assert!(text.contains("give caPem or caFile, not both"), "{text}");
    }

    #[test]
    fn a_file_that_is_no_certificate_by_its_size_is_not_read_whole() {
        let folder = tempfile::tempdir().unwrap();
        let file = fs::File::create(folder.path().join("ca.pem")).unwrap();
        file.set_len(1 << 30).unwrap();
        let text = refusal(&folder, "caFile: ca.pem");
        assert!(text.contains("larger than 64 KiB"), "{text}");
    }

    #[test]
    fn what_the_check_finds_in_a_file_is_shown_where_it_is_named() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("ca.pem"), "no certificate").unwrap();
        let written = Written::parse(plan(&folder, "caFile: ca.pem")).unwrap();
        let text = written.check().unwrap_err().to_string();
        assert!(
            text.contains("spec.endpoints[0].ca_pem: is not a certificate"),
            "{text}"
        );
        assert!(text.contains("plan.yaml:6:69"), "{text}");
    }
}
