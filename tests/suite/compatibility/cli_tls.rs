//! The real binary on both ends of mutual TLS.

use std::{fs, path::Path};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tidegate_tests::process::{Process, run};

use super::stack::stderr;

#[test]
fn a_client_is_served_with_its_certificate_and_refused_without() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str| folder.path().join(name).display().to_string();
    write_certificates(folder.path());
    let (ca, data) = (file("ca.pem"), file("data"));
    let server = [
        ["--listen", "127.0.0.1:0"],
        ["--drs", "emulator"],
        ["--data-dir", &data],
        ["--tls-cert", &file("server.pem")],
        ["--tls-key", &file("server.key")],
        ["--tls-client-ca", &ca],
    ];
    let gateway = Process::start(&[&["serve"], server.as_flattened()].concat(), &[]);
    assert!(gateway.address().starts_with("https://127.0.0.1:"));
    let address = gateway.address().replace("127.0.0.1", "localhost");

    let (cert, key) = (file("client.pem"), file("client.key"));
    let served = [
        "info",
        "--tls-ca",
        &ca,
        "--tls-cert",
        &cert,
        "--tls-key",
        &key,
    ];
    let served = run(&served, &address);
    assert!(served.status.success(), "{}", stderr(&served));

    let way = ["--tls-ca", &ca, "--tls-cert", &cert, "--tls-key", &key];
    let lost = run(&[&["plan", "get", "nothing"], &way[..]].concat(), &address);
    let said = stderr(&lost);
    let suggested = said
        .lines()
        .find_map(|line| line.split_once("what there is: tidegate "));
    let (_, suggested) = suggested.unwrap_or_else(|| panic!("{said}"));
    let words: Vec<&str> = suggested.split(' ').collect();
    let typed = run(&words, &address);
    assert!(typed.status.success(), "{suggested}: {}", stderr(&typed));

    let refused = run(&["info", "--tls-ca", &ca], &address);
    assert!(
        !refused.status.success(),
        "a client without certificate is served"
    );
}

/// An authority in `ca.pem`, and a server and a client that it signed.
fn write_certificates(folder: &Path) {
    let mut authority = CertificateParams::new(Vec::new()).expect("no names");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("a key");
    let certificate = authority.self_signed(&key).expect("a certificate");
    let write = |name: &str, text: &str| {
        fs::write(folder.join(name), text).expect("the folder can be written to");
    };
    write("ca.pem", &certificate.pem());
    let issuer = Issuer::new(authority, key);
    for name in ["server", "client"] {
        let params = CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
        let key = KeyPair::generate().expect("a key");
        let signed = params.signed_by(&key, &issuer).expect("a certificate");
        write(&format!("{name}.pem"), &signed.pem());
        write(&format!("{name}.key"), &key.serialize_pem());
    }
}
