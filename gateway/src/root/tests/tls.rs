//! TLS with client certificates.

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tidegate_proto::v1::gateway_service_client::GatewayServiceClient;
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint, Identity};

use super::*;

/// An authority, and certificates that it signed.
struct Authority {
    certificate: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap().pem();
        Self {
            certificate,
            issuer: Issuer::new(params, key),
        }
    }

    /// A certificate and its key.
    fn sign(&self, name: &str) -> (String, String) {
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (certificate.pem(), key.serialize_pem())
    }
}

#[tokio::test]
async fn only_clients_with_a_certificate_of_our_authority_are_served() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &str| {
        let file = dir.path().join(name);
        std::fs::write(&file, content).unwrap();
        Some(file)
    };
    let (ours, theirs) = (Authority::new(), Authority::new());
    let (cert, key) = ours.sign("localhost");
    let mut config = config();
    config.tls.cert = write("cert.pem", &cert);
    config.tls.key = write("key.pem", &key);
    config.tls.client_ca = write("ca.pem", &ours.certificate);
    let ports = Ports::in_memory(Arc::new(CalmDrs::default()));
    let gateway = Gateway::start_with(config, ports).await.unwrap();
    let ask = async |identity: Option<(String, String)>| {
        let mut tls = ClientTlsConfig::new()
            .domain_name("localhost")
            .ca_certificate(Certificate::from_pem(&ours.certificate));
        if let Some((cert, key)) = identity {
            tls = tls.identity(Identity::from_pem(cert, key));
        }
        let address = format!("https://{}", gateway.address());
        let endpoint = Endpoint::from_shared(address)
            .unwrap()
            .tls_config(tls)
            .unwrap();
        let mut client = GatewayServiceClient::new(endpoint.connect_lazy());
        client.get_gateway_info(v1::GetGatewayInfoRequest {}).await
    };

    let info = ask(Some(ours.sign("client"))).await.unwrap().into_inner();
    assert_eq!(info.limits.unwrap().waves_per_plan, 200);
    assert!(ask(Some(theirs.sign("client"))).await.is_err());
    assert!(ask(None).await.is_err());
    gateway.shut_down().await;
}
