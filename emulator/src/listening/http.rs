//! As much HTTP as a health check needs: one request, one answer, and the connection ends. Bodies
//! of requests are not read.

use serde::Serialize;

/// Where the health of a workload is told.
const PATH: &str = "/healthz";

/// What the head of a request may hold at most.
const HEAD_LIMIT: usize = 8 * 1024;

/// Who answers, and how they are.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Greeting {
    pub(super) server: String,
    pub(super) hostname: String,
    pub(super) instance: String,
    pub(super) healthy: bool,
}

/// Whether there is enough of a request to answer it.
pub(super) fn is_whole(head: &[u8]) -> bool {
    head.len() > HEAD_LIMIT || head.windows(4).any(|window| window == b"\r\n\r\n")
}

/// The answer to a request.
pub(super) fn answer(head: &[u8], greeting: &Greeting) -> Vec<u8> {
    let request = Request::read(head);
    let status = match &request {
        Request::TooLarge => "431 Request Header Fields Too Large",
        Request::Nonsense => "400 Bad Request",
        Request::Other => "405 Method Not Allowed\r\nallow: GET, HEAD",
        Request::Get(path) | Request::Head(path) if *path != PATH => "404 Not Found",
        Request::Get(_) | Request::Head(_) if greeting.healthy => "200 OK",
        Request::Get(_) | Request::Head(_) => "503 Service Unavailable",
    };
    let body = serde_json::to_string(greeting).expect("a greeting has plain values");
    let length = body.len();
    let shown = match request {
        Request::Head(_) => "",
        Request::Get(_) | Request::Other | Request::TooLarge | Request::Nonsense => body.as_str(),
    };
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\
         connection: close\r\n\r\n{shown}"
    )
    .into_bytes()
}

/// The first line of a request, with its path but without its query.
enum Request<'a> {
    Get(&'a str),
    Head(&'a str),
    Other,
    TooLarge,
    Nonsense,
}

impl<'a> Request<'a> {
    fn read(head: &'a [u8]) -> Self {
        if head.len() > HEAD_LIMIT {
            return Self::TooLarge;
        }
        let line = head.split(|&byte| byte == b'\r').next().unwrap_or_default();
        let words: Vec<&str> = std::str::from_utf8(line)
            .unwrap_or_default()
            .split(' ')
            .collect();
        let [method, target, "HTTP/1.0" | "HTTP/1.1"] = words[..] else {
            return Self::Nonsense;
        };
        let path = target.split('?').next().unwrap_or(target);
        match method {
            "GET" => Self::Get(path),
            "HEAD" => Self::Head(path),
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(head: &str, healthy: bool) -> String {
        let greeting = Greeting {
            server: "s-10000000000aa0001".to_owned(),
            hostname: "app-01.shop.example".to_owned(),
            instance: "i-0123456789abcdef0".to_owned(),
            healthy,
        };
        String::from_utf8(answer(head.as_bytes(), &greeting)).unwrap()
    }

    #[test]
    fn health_is_told_with_the_name_of_the_server() {
        let healthy = says("GET /healthz?deep=1 HTTP/1.1\r\n\r\n", true);
        assert!(healthy.starts_with("HTTP/1.1 200 OK\r\n"), "{healthy}");
        let (head, body) = healthy.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("content-length: {}", body.len())));
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(body["server"], "s-10000000000aa0001");
        assert_eq!(body["healthy"], true);
        let unhealthy = says("GET /healthz HTTP/1.1\r\n\r\n", false);
        assert!(unhealthy.starts_with("HTTP/1.1 503 "), "{unhealthy}");
    }

    #[test]
    fn head_has_no_body() {
        let answer = says("HEAD /healthz HTTP/1.1\r\n\r\n", true);
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\n"));
    }

    #[test]
    fn anything_else_is_refused() {
        let status = |head: &str| says(head, true)[9..12].to_owned();
        assert_eq!(status("GET / HTTP/1.1\r\n\r\n"), "404");
        assert_eq!(status("POST /healthz HTTP/1.1\r\n\r\n"), "405");
        assert_eq!(status("GET /healthz\r\n\r\n"), "400");
        assert_eq!(status("\u{16}\u{3}\u{1}\r\n\r\n"), "400");
        assert_eq!(status(&"x".repeat(HEAD_LIMIT + 1)), "431");
    }

    #[test]
    fn a_head_is_whole_at_its_empty_line_or_when_it_is_too_long() {
        assert!(!is_whole(b"GET /healthz HTTP/1.1\r\n"));
        assert!(is_whole(b"GET /healthz HTTP/1.1\r\n\r\n"));
        assert!(is_whole(&[b'x'; HEAD_LIMIT + 1]));
    }
}
