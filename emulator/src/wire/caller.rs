//! Who calls, and where: read from the SigV4 `Authorization` header. Signatures are not verified.

use axum::http::{HeaderMap, header};

use super::error::ServiceError;
use crate::model::{AccountId, Place, Region};

/// The account and Region of a request.
///
/// Source: "Signature Version 4 request elements": the credential is
/// `<access key id>/<date>/<region>/<service>/aws4_request`.
pub(super) fn place(headers: &HeaderMap, default: &AccountId) -> Result<Place, ServiceError> {
    place_at("drs", headers, default)
}

/// The same of a request to another service.
pub(super) fn place_at(
    service: &str,
    headers: &HeaderMap,
    default: &AccountId,
) -> Result<Place, ServiceError> {
    let value = headers
        .get(header::AUTHORIZATION)
        .ok_or(ServiceError::MissingAuthenticationToken)?;
    let value = value.to_str().map_err(|_| incomplete("it is not ASCII"))?;
    let elements = value
        .strip_prefix("AWS4-HMAC-SHA256")
        .ok_or_else(|| incomplete("it does not begin with AWS4-HMAC-SHA256"))?;
    let credential = elements
        .split(',')
        .find_map(|element| element.trim().strip_prefix("Credential="))
        .ok_or_else(|| incomplete("it has no Credential"))?;
    let scope: Vec<&str> = credential.split('/').collect();
    let [key, _date, region, called, "aws4_request"] = scope[..] else {
        return Err(malformed(service));
    };
    if called != service {
        return Err(malformed(service));
    }
    Ok(Place {
        account: AccountId::parse(key).unwrap_or_else(|_| default.clone()),
        region: Region::parse(region).map_err(|error| incomplete(&error.to_string()))?,
    })
}

fn malformed(service: &str) -> ServiceError {
    incomplete(&format!(
        "Credential must be <key>/<date>/<region>/{service}/aws4_request"
    ))
}

fn incomplete(what: &str) -> ServiceError {
    let message = format!("The Authorization header is incomplete: {what}.");
    ServiceError::IncompleteSignature { message }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str) -> Result<Place, ServiceError> {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, value.parse().unwrap());
        place(&headers, &AccountId::parse("123456789012").unwrap())
    }

    #[test]
    fn the_key_names_the_account_if_it_is_one() {
        let scope = "20260101/eu-west-1/drs/aws4_request, SignedHeaders=host, Signature=0";
        let named = read(&format!("AWS4-HMAC-SHA256 Credential=210987654321/{scope}")).unwrap();
        assert_eq!(named.to_string(), "210987654321/eu-west-1");
        let other = read(&format!("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/{scope}")).unwrap();
        assert_eq!(other.to_string(), "123456789012/eu-west-1");
    }

    #[test]
    fn an_absent_header_differs_from_a_malformed_one() {
        let account = AccountId::parse("123456789012").unwrap();
        let absent = place(&HeaderMap::new(), &account).unwrap_err();
        assert_eq!(absent.code(), "MissingAuthenticationTokenException");
        for malformed in [
            "Bearer x",
            "AWS4-HMAC-SHA256 Credential=a/b/us-west-2/ec2/aws4_request",
        ] {
            assert_eq!(
                read(malformed).unwrap_err().code(),
                "IncompleteSignatureException"
            );
        }
    }
}
