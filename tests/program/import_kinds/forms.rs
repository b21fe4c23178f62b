//! What is said of files that are no configuration yet, or no YAML; and what YAML may look like.

use super::*;

const ROUTE: &str = "apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: a
spec:
  http:
  - timeout: 2s
    route: [{ destination: { host: a } }]
";

#[test]
fn templates_are_called_so_with_what_to_do() {
    for (text, place) in [
        (ROUTE.replace("name: a", "name: {{ .Values.name }}"), "4:9"),
        (format!("{{{{- if .Values.on }}}}\n{ROUTE}{{{{- end }}}}\n"), "1:1"),
        (format!("# a comment\n{{%- macro route(x) %}}\n{ROUTE}{{%- endmacro %}}\n"), "2:1"),
        ("{% set x = 1 %}\n{ \"a\": {{ x }} }\n".to_owned(), "1:1"),
    ] {
        let problem = read(&text).expect_err(&text);
        assert!(problem.starts_with(&format!("{place}: this is a template")), "{problem}");
        assert!(problem.contains("helm template"), "{problem}");
    }
    let quoted = ROUTE.replace("timeout: 2s", "timeout: '{{ .Values.timeout }}'");
    let problem = read(&quoted).expect_err("a template in quotes");
    assert!(problem.starts_with("7:14: ") && problem.contains("helm template"), "{problem}");
    let variable = ROUTE.replace("timeout: 2s", "timeout: ${TIMEOUT}");
    assert!(read(&variable).expect_err("a variable").contains("the variable `TIMEOUT`"));
}

#[test]
fn yaml_that_other_parsers_take_is_taken() {
    let plain = policy(&ok(ROUTE), "a");
    for text in [
        ROUTE.replace(
            "  name: a",
            "  name: a\n  annotations:\n    note: \"one\n  two # \\\" \n \
        three\"\n    more: 'it''s\n x'",
        ),
        ROUTE.replace(
            "  name: a",
            "  name: a\n  labels: { 1: x, true: y, ~: z }\n  list: [~, 1, \
        .inf]",
        ),
        ROUTE.replace(
            "  name: a",
            "  name: a\n  lua: |\n    local s = \"{{\n    {%\"\n  x: !Ref \
        y",
        ),
        ROUTE.replace("  name: a", "  name: a\n  x: !!timestamp 2026-01-01\n  y: !!set { a, b }"),
        format!("\u{feff}#\n---\n---\n{}", ROUTE.replace('\n', "\r\n")),
        "{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: a}, spec: \
        {http: [{timeout: 2s, route: \
         [{destination: {host: a}}]}]}}"
            .to_owned(),
        ROUTE.replace("timeout: 2s", "timeout: &t 2s").replace(
            "name: a",
            "name: a\n  x: &m { y: \
        1 }\n  z: { <<: *m }",
        ),
    ] {
        assert_eq!(policy(&ok(&text), "a"), plain, "{text}");
    }
}

#[test]
fn what_is_no_yaml_is_told_of_at_its_place_in_our_words() {
    for (text, problem) in [
        ("a: 1\nb:\n  c: 1\n  c: 2\n", "4:3: this key is written twice"),
        ("a: é\nb: *x\n", "2:4: this alias has no anchor before it"),
        ("a:\n\tb: 1\n", "2:2: a tab stands where spaces are indentation"),
        ("? [a]\n: 1\n", "1:3: a list or a table is no key"),
        ("a: b: c\n", "1:5: this is no key with a value"),
        ("{ \"a\": [1, 2 }", "1:14: this"),
        ("{ \"a\" 1 }", "1:7: a name is followed by its value"),
    ] {
        let found = read(text).expect_err(text);
        assert!(found.starts_with(problem), "{text}: {found}");
    }
    let crd = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nspec: { \
    group: networking.istio.io }";
    assert!(read(crd).expect_err("a definition").contains("which fields an object may have"));
}

#[test]
fn lists_of_objects_by_any_name_are_objects() {
    let object = ROUTE.replace('\n', "\n  ");
    let text = format!(
        "virtualServices:\n- {object}\ngateways:\n- {{ apiVersion: v1, kind: Service, metadata: \
        {{ name: x }} }}\n"
    );
    assert_eq!(names(&ok(&text)), ["a"]);
}

#[test]
fn what_objects_of_no_format_decide_is_told_of_too() {
    let text = format!(
        "{ROUTE}---\napiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: x\n  \
        annotations: \
                        {{ nginx.ingress.kubernetes.io/proxy-read-timeout: '9' }}\n"
    );
    let why = why_not(&ok(&text), "proxy-read-timeout").map(str::to_owned);
    assert_eq!(why.as_deref(), Some("`Ingress` is of no format that is read"));
}
