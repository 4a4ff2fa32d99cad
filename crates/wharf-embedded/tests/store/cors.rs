//! Requests across origins: the preflight, and the headers of answers.

use wharf_embedded::Store;

use crate::support::*;

const RULES: &str = "<CORSConfiguration>\
    <CORSRule><AllowedOrigin>https://app.example</AllowedOrigin><AllowedMethod>PUT</AllowedMethod>\
    <AllowedMethod>GET</AllowedMethod><AllowedHeader>x-amz-*</AllowedHeader><ExposeHeader>ETag</ExposeHeader>\
    <MaxAgeSeconds>3000</MaxAgeSeconds></CORSRule>\
    <CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>HEAD</AllowedMethod></CORSRule></CORSConfiguration>";

async fn store_with_rules() -> Store {
    let store = store_with_bucket().await;
    put("/bucket?cors").body(RULES).send(&store).await.expect(200);
    store
}

fn preflight(target: &str, origin: &str, method: &str) -> Ask {
    ask("OPTIONS", target).header("origin", origin).header("access-control-request-method", method)
}

#[tokio::test]
async fn preflights() {
    let store = store_with_rules().await;
    let asked = preflight("/bucket/k", "https://app.example", "PUT")
        .header("access-control-request-headers", "X-Amz-Date, x-amz-content-sha256");
    let answer = asked.send_bare(&store).await.expect(200);
    for (name, value) in [
        ("access-control-allow-origin", "https://app.example"),
        ("access-control-allow-methods", "PUT, GET"),
        ("access-control-allow-headers", "x-amz-date, x-amz-content-sha256"),
        ("access-control-allow-credentials", "true"),
        ("access-control-expose-headers", "ETag"),
        ("access-control-max-age", "3000"),
        ("vary", "Origin, Access-Control-Request-Headers, Access-Control-Request-Method"),
        ("content-length", "0"),
    ] {
        assert_eq!(answer.get(name), Some(value), "{name}");
    }
    let anybody = preflight("/bucket", "https://else.example", "HEAD").send_bare(&store).await.expect(200);
    assert_eq!(anybody.get("access-control-allow-origin"), Some("*"));
    for refused in [
        preflight("/bucket/k", "https://else.example", "PUT"),
        preflight("/bucket/k", "https://app.example", "DELETE"),
        preflight("/bucket/k", "https://app.example", "PUT").header("access-control-request-headers", "content-type"),
    ] {
        let answer = refused.send_bare(&store).await.refused(403, "AccessForbidden");
        assert_eq!(answer.get("access-control-allow-origin"), None);
    }
    ask("OPTIONS", "/bucket/k").send_bare(&store).await.refused(400, "BadRequest");
    preflight("/nowhere/k", "https://app.example", "PUT").send_bare(&store).await.refused(404, "NoSuchBucket");
    delete("/bucket?cors").send(&store).await.expect(204);
    preflight("/bucket/k", "https://app.example", "PUT").send_bare(&store).await.refused(403, "AccessForbidden");
    assert_eq!(store.requests().last().unwrap().operation, "OptionsObject");
}

/// A browser asks for leave at the URL of the request to come, with its signature for another method.
#[tokio::test]
async fn a_preflight_of_a_presigned_url() {
    let store = store_with_rules().await;
    let url = "/bucket/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2F\
               us-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&\
               X-Amz-Signature=00";
    let allowed = preflight(url, "https://app.example", "PUT").send_bare(&store).await.expect(200);
    assert_eq!(allowed.get("access-control-allow-origin"), Some("https://app.example"));
    preflight(url, "https://else.example", "PUT").send_bare(&store).await.refused(403, "AccessForbidden");
}

#[tokio::test]
async fn answers_across_origins() {
    let store = store_with_rules().await;
    let origin = "https://app.example";
    let put = put("/bucket/k").header("origin", origin).body("x").send(&store).await.expect(200);
    assert_eq!(put.get("access-control-allow-origin"), Some(origin));
    assert_eq!(put.get("access-control-expose-headers"), Some("ETag"));
    let missing = get("/bucket/none").header("origin", origin).send(&store).await.refused(404, "NoSuchKey");
    assert_eq!(missing.get("access-control-allow-origin"), Some(origin));
    let denied = get("/bucket/k").header("origin", origin).send_bare(&store).await.refused(403, "AccessDenied");
    assert_eq!(denied.get("access-control-allow-origin"), Some(origin));
    let other = get("/bucket/k").header("origin", "https://else.example").send(&store).await.expect(200);
    assert_eq!(other.get("access-control-allow-origin"), None);
    assert_eq!(get("/bucket/k").send(&store).await.expect(200).get("vary"), None);
}
