"""Secrets by where they stand: files of tools, containers, webhooks, calls, comparisons, cookies, notebooks; versions.

Every secret is put together here, so that no file of the project holds one.
"""

from __future__ import annotations

import base64
import random
import string

import pytest

import codemill as cm
from codemill import cleaning


def made_up(length: int, seed: int, alphabet: str = string.ascii_letters + string.digits) -> str:
    rng = random.Random(seed)
    return "".join(rng.choice(alphabet) for _ in range(length))


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


PW = "k4" + "Tz" + "walnut7"
TOKEN = made_up(20, 1)
LONG = made_up(160, 2)
HEX = made_up(64, 3, "0123456789abcdef")
UUID = "-".join(made_up(n, n, "0123456789abcdef") for n in (8, 4, 4, 4, 12))
SALT = made_up(64, 4, "abcdefgABCDEFG0123456789!@#$%^&*()-_ []{}<>~`+=,.;:/?|")
PEM = b64("-----BEGIN " + "RSA PRIVATE KEY-----\n" + LONG)
PKCS8 = "MIIEvQIBADANBgkq" + "hkiG9w0BAQEFAASCBKcwggSj" + LONG
PKCS12 = "MIIKPAIBAz" + "CCCfUGCSqGSIb3DQEHAaCCCeYE" + LONG
PAIR = b64("jdoe:" + PW)
DASH = "--"

FILES = [
    ("machine h.corp-mail.de\n  login jdoe\n  password {}\n", PW),
    ("machine h.corp-mail.de login jdoe password {}", "walnutsandhazels"),
    ("default login jdoe password {}\n", PW),
    ("account x\nhost smtp.corp-mail.de\nuser jdoe\npassword {}\n", PW),
    ("IMAPAccount x\nUser jdoe\nPass {}\n", PW),
    ('//npm.corp-mail.de/:_password="{}"\n', b64("Qz4" + "walnut" + "xY")),
    ("//npm.corp-mail.de/:_auth={}\n", PAIR),
    ("_auth = {}\n", PAIR),
    ('npmAuthIdent: "{}"\n', PAIR),
    ('{{"auths": {{"https://index.docker.io/v1/": {{"auth": "{}"}}}}}}', PAIR),
    ("db.corp-mail.de:5432:shop:jdoe:{}\n", PW),
    ("*:*:*:jdoe:{}\n", PW),
    ('{{"github-oauth": {{"github.com": "{}"}}}}', HEX[:40]),
    ('{{"bearer": {{"repo.corp-mail.de": "{}"}}}}', HEX[:40]),
    ('<add key="ClearTextPassword" value="{}" />', "Hazelnuts"),
    ('<apikeys>\n  <add key="https://nuget.corp-mail.de" value="{}" />\n</apikeys>', TOKEN),
    ("<password>{{{}}}</password>", b64(PW * 3)),
    ('<Pass encoding="base64">{}</Pass>', b64(PW)),
    ("users:\n- user:\n    client-key-data: {}\n", PEM),
    ('user = "jdoe:{}"\n', PW),
    ("remotepass = {}\n", PW),
    ("K 8\npassword\nV 11\n{}\nEND\n", PW),
    ('BUNDLE_GEMS__CORP__DE: "jdoe:{}"\n', PW),
    ("[smtp.corp-mail.de]:587 jdoe:{}\n", PW),
    ('{{"username":"jdoe","key":"{}"}}', HEX[:32]),
    ("psk={}\n", PW),
    ("<Password>\n  <Value>{}</Value>\n", PW),
    ("kind: Secret\nmetadata:\n  name: x\ndata:\n  extra: {}\n", b64("jdoe" + PW)),
    ('apiVersion: v1\ndata:\n\textra: "{}"\nkind: "Secret"\n', b64("jdoe" + PW)),
    ("kind: Secret\ndata:\n  .dockercfg: |\n    {}\n", b64('{"auths": 1, "x": 23}')),
    ("kind: Secret\nstringData:\n  entry: {}\n", PW),
    ("base dc=x\nbindpw {}\n", PW),
    ("remote_username jdoe\nremote_password {}\n", PW),
    ("masterauth {}\n", PW),
]
CONTAINERS = [
    ("Private-Lines: 2\n{}\n" + LONG[:40] + "\nPrivate-MAC: 0\n", LONG[:64]),
    ("key = '{}'", PKCS8),
    ("pfx: {}\n", PKCS12),
    ("P12=MIACAQMw" + "gAYJKoZI{}\n", LONG),
    ("tls.key: {}\n", PEM),
    ("k: b3BlbnNzaC1r" + "ZXktdjE{}\n", LONG),
    ('{{"kty":"EC","crv":"P-256","d":"{}"}}', LONG[:43]),
    ("<RSAKeyValue><Modulus>x</Modulus><D>{}</D></RSAKeyValue>", LONG),
    ("x = '{}'", b64("eyJ" + "hbGciOiJIUzI1NiJ9." + LONG + "." + TOKEN)),
    ("f('01000000d08c9ddf0115d111" + "8c7a00c04fc297eb{}')", HEX),
]
WEBHOOKS = [
    ("https://hooks.slack.com/workflows/T0{}/x", made_up(60, 5)),
    ("https://corp.webhook.office.com/webhookb2/" + UUID + "@" + UUID + "/IncomingWebhook/{}/" + UUID, HEX[:32]),
    ("https://ptb.discord.com/api/v10/webhooks/123456789012345678/{}", LONG[:68]),
    ("https://chat.googleapis.com/v1/spaces/AAAAx7/messages?key=" + TOKEN + "&token={}", LONG[:43]),
    ("https://oapi.dingtalk.com/robot/send?access_token={}", HEX),
    ("https://open.feishu.cn/open-apis/bot/v2/hook/{}", UUID),
    ("https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={}", UUID),
    ("https://chat.corp-mail.de/hooks/{}", made_up(26, 6, string.ascii_lowercase + string.digits)),
    ("https://api.telegram.org/bot123456789:AA{}/sendMessage", made_up(33, 7)),
]
CURL = [
    ("curl -ujdoe:{} https://x", PW),
    ("curl " + DASH + "user=jdoe:{} https://x", PW),
    ('curl -u "jdoe":"{}" https://x', PW),
    ("curl -X POST \\\n  -H 'A: b' \\\n  -u jdoe:{}", PW),
    ("curl " + DASH + "proxy-user jdoe:{} https://x", PW),
    ("curl -u {}: https://x", TOKEN),
    ("curl -H 'Authorization: {}'", UUID),
    ('curl -L -H "Authorization: Api-Token {}"', HEX[:40]),
    ("curl -b 'session={}' https://x", TOKEN),
    ('echo "{}" | docker login -u jdoe ' + DASH + "password-stdin", PW),
    ("echo 'jdoe:{}' | chpasswd", PW),
    ("sqlplus jdoe/{}@db", PW),
    ("htpasswd -b users jdoe {}", PW),
    ("plink -pw {} host", PW),
    ("openssl enc -aes-256-cbc -k {} -in a", PW),
    ("podman login -u jdoe -p {} h", PW),
    ("az login -u jdoe -p {}", PW),
    ("https " + DASH + "auth jdoe:{} GET h", PW),
    ("jdbc:oracle:thin:jdoe/{}@db:1521:x", PW),
]
COOKIES = [
    ("Cookie: theme=dark; sessionid={}", TOKEN),
    ("Set-Cookie: JSESSIONID={}; Path=/", HEX[:32].upper()),
    ('headers = {{"Cookie": "laravel_session={}"}}', LONG[:40]),
    ('cookies = {{"connect.sid": "s%3A{}"}}', TOKEN),
    ("_gitlab_session={}\n", HEX[:32]),
]
CODE = [
    ('mysqli_connect("localhost", "root", "{}", "db");', PW),
    ('new PDO("mysql:host=x;dbname=y", "root", "{}");', PW),
    ('$dbh = DBI->connect("dbi:mysql:x", "root", "{}");', PW),
    ('create_superuser("jdoe", "j@corp-mail.de", "{}")', PW),
    ('MongoCredential.createCredential("jdoe", "db", "{}".toCharArray())', PW),
    ('curl_setopt($ch, CURLOPT_USERPWD, "jdoe:{}");', PW),
    ('h["Authorization"] = "Basic " + btoa("jdoe:{}")', PW),
    ('request.get(u).auth("jdoe", "{}")', PW),
    ("req.basic_auth 'jdoe', '{}'", PW),
    ("redis.auth('{}')", PW),
    ("Fernet(b'{}=')", LONG[:43]),
    ('oci_connect("hr", "{}", "localhost/XE");', PW),
    ('ftp_login($c, "jdoe", "{}")', PW),
    ('smtp.PlainAuth("", "jdoe", "{}", "smtp.corp-mail.de")', PW),
    ('new NetworkCredential("jdoe", "{}", "CORP")', PW),
    ("mysqli_connect(\n    'localhost',\n    'root',\n    '{}'\n)", PW),
    ('jwt.sign({{id: 1}}, "{}", {{}})', TOKEN),
    ("if ('{}' == password) {{", PW),
    ('if ("{}" === user.password)', PW),
    ("if '{}' != self.password:", PW),
    ("if (\"{}\" == $_POST['password'])", PW),
    ('"{}".equals(password)', PW),
    ("SELECT 1 WHERE '{}' = password", PW),
    ('[ "{}" = "$PASSWORD" ]', PW),
    ("run(['curl', '-u', 'jdoe:{}', url])", PW),
    ('transport.connect("h", "jdoe", "{}");', PW),
    ('strcmp("{}", password)', PW),
    ("hash_equals('{}', $password)", PW),
    ('assertEquals("{}", user.getPassword());', PW),
    ("define('NONCE_SALT', '{}');", SALT.replace("'", "")),
    ("define( 'AUTH_KEY',   '{}' );", SALT),
    ("APP_KEY=base64:{}=", LONG[:43]),
    ("'cookieValidationKey' => '{}',", TOKEN),
    ("Configure::write('Security.salt', '{}');", HEX),
    ("public $secret = '{}';", TOKEN),
    ("config.pepper = '{}'", HEX),
    ('play.http.secret.key="{}"', TOKEN),
    ('<machineKey validationKey="{}"', HEX.upper()),
    ('ConvertTo-SecureString "{}" -AsPlainText -Force', PW),
    ("ConvertTo-SecureString -AsPlainText -Force -String '{}'", PW),
    ("'{}' | ConvertTo-SecureString -AsPlainText -Force", PW),
    ("ENV.fetch('DB_PASSWORD') {{ '{}' }}", PW),
    ("getenv('DB_PASSWORD') ?: '{}';", PW),
    ('os.environ.get("DB_PASSWORD") or "{}"', PW),
    ('System.getenv("DB_PASSWORD") ?? "{}"', PW),
]
FORMS = [
    ('$password .= "{}"', PW),
    ("X_PASSWORD ::= {}\n", PW),
    ('X_PASSWORD :::= "{}"\n', PW),
    ("$password ??= '{}'", PW),
    ("password ||= '{}'", PW),
    ('password <- "{}"', PW),
    ("<password>\n    {}\n</password>", PW),
    ("password =\n    '{}'", PW),
    ("password = \\\n    '{}'", PW),
    ("password = (\n    '{}'\n)", PW),
    ('"password":\n  "{}"', PW),
    ("password: |\n  {}\n", PW),
    ("- name: DB_PASSWORD\n  value: {}\n", PW),
    ('{{\n "name": "DB_PASSWORD",\n "value": "{}"\n}}', PW),
    ("<name>db.password</name>\n<value>{}</value>", PW),
    ("<key>password</key>\n<string>{}</string>", PW),
    ('let password = r#"{}"#;', PW),
    ('password = """{}"""', PW),
    ('std::string password{{"{}"}};', PW),
    ('char password[32] = "{}";', PW),
    ("password = [[{}]]", PW),
    ("$password = q({});", PW),
    ('Dim password As String = "{}"', PW),
    ('(defvar *password* "{}")', PW),
    ('{{password, "{}"}}', PW),
    ('{{default_pass, <<"{}">>}}', PW),
    ('-define(DB_PASSWORD, "{}").', PW),
    ("password:: '{}'", PW),
    ("PASSWORD=$'{}'\n", PW),
    ("password:\n  {}\n", PW),
    ("setenv DB_PASSWORD {}\n", PW),
    ('<property name="password"><value>{}</value></property>', PW),
]
DECLARED = [
    ('variable "db_password" {{\n  type = string\n  default = "{}"\n}}\n', PW),
    ('variable "db_password" {{ default = "{}" }}\n', PW),
    ("DBPassword:\n  Type: String\n  Default: {}\n", PW),
    ("  DBPassword:\r\n    NoEcho: true\r\n    Default: '{}'\r\n", PW),
    ('{{"adminPassword": {{"value": "{}"}}}}', PW),
    ('{{"adminPassword": {{\n "type": "securestring",\n "x": {{"y": [1]}},\n "defaultValue": "{}"\n}}}}', PW),
    ('[{{ name = "DB_PASSWORD", value = "{}" }}]', PW),
    ("{{ name: 'DB_PASSWORD',\n  value: '{}' }}", PW),
    ('{{"Jwt": {{"Key": "{}"}}}}', LONG[:32]),
    ('{{"JwtSettings": {{\n "Issuer": "x",\n "Key" : "{}"\n}}}}', LONG[:32]),
    ('{{"SigningKey": "{}"}}', LONG[:32]),
    ("redis: {{password: {}}}\n", PW),
    ("DSN=jdoe:{}@tcp(db:3306)/orders\n", PW),
]
SET = [
    ("ENV API_KEY {}\n", TOKEN),
    ("ENV SECRET_KEY {}\n", TOKEN),
    ("setenv API_KEY {}\n", TOKEN),
    ("set -x API_KEY {}\n", TOKEN),
    ("set -Ux DB_PASSWORD {}\n", PW),
    ("setx DB_PASSWORD {}\r\n", PW),
    ('setx /M API_KEY "{}"\r\n', TOKEN),
    ("$ aws configure set aws_secret_access_key {}\n", LONG[:40]),
    ("npm config set //r.corp-mail.de/:_authToken {}\n", LONG[:36]),
    ("${{PASSWORD}}    {}\n", PW),
    ("${{PASSWORD}} =    {}\n", PW),
    ("net use z: \\\\srv\\share /user:jdoe {}\r\n", PW),
    ("net user jdoe {} /add\n", PW),
    ("zip -P {} a.zip b\n", PW),
    ("unzip -P {} a.zip\n", PW),
    ("echo {} | sudo -S ls\n", PW),
    ("MYSQL_PW={}\n", PW),
    ("export HMAC_KEY={}\n", LONG[:40]),
]
PROGRAMS = [
    ('sql.Open("mysql", "jdoe:{}@tcp(db:3306)/orders")', PW),
    ('sql.Open("mysql", "jdoe:{}@unix(/tmp/mysql.sock)/orders")', PW),
    ('sql.Open("mysql", "jdoe:{}@/orders")', PW),
    ('public string Password {{ get; set; }} = "{}";', PW),
    ('public string ApiKey {{ get; }} = "{}";', TOKEN),
    ('mapOf("password" to "{}")', PW),
    ('Map("password" -> "{}")', PW),
    ('buildConfigField "String", "API_KEY", "\\"{}\\""', TOKEN),
    ('buildConfigField("String", "API_KEY", "\\"{}\\"")', TOKEN),
    ("pw = '{}'", PW),
    ('dbPw = "{}"', PW),
    ("pswd = '{}'", PW),
    ("senha = '{}'", PW),
    ("minhaSenha = '{}'", PW),
    ("AES_KEY = '{}'", HEX),
    ("STORAGE_KEY = '{}'", LONG[:40]),
    ("sharedKey: '{}'", LONG[:40]),
    ("jwtSigningKey = '{}'", LONG[:40]),
    ("OPENAI_KEY = '{}'", LONG[:40]),
    ('Algorithm.HMAC256("{}")', TOKEN),
    ('.signWith(SignatureAlgorithm.HS512, "{}".getBytes())', TOKEN),
    ('.setSigningKey("{}")', TOKEN),
    ('token.SignedString([]byte("{}"))', TOKEN),
    ('sessions.NewCookieStore([]byte("{}"))', TOKEN),
    ('set :session_secret, "{}"', HEX),
    ('.basic_auth("jdoe", Some("{}"))', PW),
    ('.bearer_auth("{}")', LONG[:40]),
    ('auto password = std::string("{}");', PW),
    ('WiFi.begin("home", "{}");', PW),
    ("net user jdoe {} /add\n", PW),
]


@pytest.mark.parametrize(
    ("text", "secret"), FILES + CONTAINERS + WEBHOOKS + CURL + COOKIES + CODE + FORMS + DECLARED + SET + PROGRAMS
)
def test_a_secret_goes_and_what_is_around_it_stays(text: str, secret: str) -> None:
    done = cm.redact(text.format(secret)).content
    assert secret not in done
    head, tail = text.format("\0").split("\0")
    assert done.startswith(head[:3]), done
    assert tail[-1:].isalnum() or tail[-1:] == "=" or done.endswith(tail[-1:]), done
    assert cm.redact(done).content == done


@pytest.mark.parametrize(("text", "secret"), CODE + PROGRAMS)
def test_in_code_too(text: str, secret: str) -> None:
    if not text.startswith("APP_KEY"):
        assert secret not in cm.redact(text.format(secret), language="php").content


def test_a_notebook_is_code_between_output_and_prose() -> None:
    text = f"<jupyter_start><jupyter_code>%env DB_PASSWORD={PW}\n!mysql -u root -p{PW}<jupyter_output>DB_PASSWORD={PW}"
    done = cm.redact(text, language="jupyter notebook").content
    assert done.count("<password>") == 3, done
    code = f"<jupyter_start><jupyter_code>password = {PW}\n"
    assert cm.redact(code, language="jupyter notebook").content == code


ORDINARY = [
    "if (a == password) { } if ('' == password) { } if (\"password\" == key) { }",
    'mysqli_connect($host, $user, $password, "shop42");',
    'connect("localhost", 5432, "shop1")',
    "machine learning, login page and password field1 of the form",
    "password field1\nuser_password field1 is asked for\n",
    "openssl x509 -in cert1.pem -keyout key1.pem",
    "os.environ.get('DB_PASSWORD') or fail('no1')",
    "password:\n  min8: 3\n",
    "password =\n\nother1 = 2\n",
    '__all__ = ["SigningKey", "MLKEM768X25519PublicKey"]',
    '{"AWS::Route53::KeySigningKey": "a9a67ae6c371fcf4"}',
    '"encryptionKey": "encryptionKey1024"',
    '"SessionId": "Mary-Major-07a16060613c408b5"',
    "Cookie: theme=dark42; lang=en_US1; width=1024",
    "curl -u $USER:$PASS1 https://x; curl -u {user}:{password} https://x; curl -u jdoe:password https://x",
    "kind: ConfigMap\ndata:\n  entry: aGVsbG8gd29ybGQgMTIz\n",
    '"auth": "required1", auth = base64encode(x)',
    '{"kty":"EC","crv":"P-256","x":"' + LONG[:43] + '","y":"' + LONG[43:86] + '"}',
    "-----BEGIN CERTIFICATE-----\nMIIDdzCCAl+gAwIBAgIE" + LONG + "\n-----END CERTIFICATE-----\n",
    "cert: " + b64("-----BEGIN CERTIFICATE-----\n" + LONG),
    "sum, sumofsquares, sumsandsquares",
    "ConvertTo-SecureString $password -AsPlainText -Force",
    "password ||= 'secret'; password ??= None; token .= word",
    "secret = os.environ['X']\nkey = load_key('primary')\n",
    # What forms ask of a field.
    "'password' => 'required|string|min:8|confirmed', 'api_token' => 'required|size:40|unique:users,api_token'",
    "password: 'required|min:6|max:20', token: 'sometimes|date_format:Y-m-d|max:20'",
    # Data sources of nobody.
    'f("%s:%s@tcp(%s:%d)/%s", user, pw1) "user:password@tcp(localhost:5555)/x" "root:root@tcp(127.0.0.1:3306)/test"',
    'import a from "@/components/x1"; user + ":" + pw1 + "@tcp(" + host',
    # What is declared, and by whose name.
    'variable "db_password" {\n  description = "Zx81spec"\n}\nvariable "x" {\n  default = "Zx81spec"\n}\n',
    'variable "db_password" {\n  default = ""\n}\nresource "a" "b" {\n  default = "Zx81spec"\n}\n',
    '{"token": {"type": "string", "value": "identifier123"}}',
    "password: { type: String, minlength: 8, message: 'Zx81spec', nested: { value: 'Zx81spec' } }",
    "password:\n  type: string\n  default: null\nname:\n  default: Zx81spec\n",
    "password:\n  properties:\n    a1:\n      default: Zx81spec\n",
    'public string Password { get; set; }\npublic string Name { get; set; } = "Zx81spec";',
    '{"Jwt": {"Issuer": "x"}, "Other": {"Key": "' + LONG[:32] + '"}}',
    '{"Jwt": {"Key": "replace-with-your-key-12"}}',
    "redis: {password: null, host: db12}\nmap: { password: $PW12 }\n",
    # Variables and commands.
    "ENV API_KEY_FILE /run/secrets/key1\nENV PASSWORD_LENGTH 16\nENV TOKEN $TOKEN1\nset -x API_KEY (cat key12)\n",
    "setx PASSWORD %PASS1%\r\nthe ENV token parser12 reads\n",
    "`${password}    Some Keyword12    arg1`\n${password}    Get Word12\n${password}    Hash12    a\n",
    "net use z: \\\\srv\\share12 /user:jdoe\r\ncopy12 x\r\nnet user jdoe /delete\r\nthe net user base12 grows\n",
    'zip -P $PW1 a.zip; echo $PW12 | sudo -S ls; echo "abc12" | sudo -s; zip -r a12.zip b',
    # Arrows and arguments.
    'rename "token" to "tokens2"; "password" to password2; "secret" -> secrets[12]; password -> "Zx81 abc"',
    'Algorithm.HMAC256(secret1); signWith(key1, HS256); SignedString([]byte(key12)); set :session_secret, ENV["X12"]',
    'WiFi.begin(ssid, "your_password1"); WiFi.begin("home"); basic_auth("joe", Some(password1)); bearer_auth(token12)',
    # Names that are others' too.
    "import playwright.sync_api as pw\npw.x = '12'\npw=1024\nspw = 'Zx81spec'; desenha('circulo12')\n",
    "storage_key = 'todos-vuejs-2.0'; STORAGE_KEY = 'app_state_2021_v3'; sharedKey = 'sharedElement12Key2021Item'",
    "cosmos_key = 'partition1/tenant2/user3/item4'; aes_key = '000102030405060708090a0b0c0d0e0f'",
    f"STORAGE_KEY = '{UUID}'; signingKey: 'MLKEM768X25519PublicKey'",
]


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_text_stays(text: str) -> None:
    assert cm.redact(text).content == text
    assert cm.redact(text, language="python").content == text


VERSIONS = [
    "find_package(Foo 62.112.48.9 REQUIRED)\n",
    "opencv-python>=4.5.1.48,<5\n",
    "foo==62.112.48.9\nbar<=62.112.48.9,!=62.112.48.10\n",
    "baz @ git+https://github.com/a/b@62.12.4.9\n",
    "implementation 'com.foo:bar:62.12.44.9'\n",
    'api("com.foo:bar:62.12.44.9")',
    "name: 62.12.4.9\n",
    '"foo": "^62.12.44.97",\n"bar": "62.12.44.97"\n',
    'libraryDependencies += "com.foo" % "bar" % "62.12.44.9"',
    "gem 'foo', '~> 62.12.44.9'\ngem 'foo', '62.12.44.9'\n",
    "image: corp/foo:62.12.44.9\nFROM foo:62.12.44.9\n",
    '[com.foo/bar "62.12.44.9"]',
    "apt-get install foo=62.12.44.9-1\n",
    "Depends: foo (= 62.12.44.9)\n",
    "npm install foo@62.12.44.9\nuses: foo/bar@62.12.44.9\n",
    "## 62.12.4.9 (2020-01-01)\n",
    "## [62.112.48.9] - 2020-01-01\n",
    "62.12.4.9 (2020-01-01)\n----------------------\n",
    "- Upgraded foo from 62.12.4.9 to 62.12.5.1\n",
    "Bump github.com/foo/bar-of-baz from `62.112.48.9` to `62.112.48.10`.\n",
    "/** @since 62.12.4.9 */",
    '@Deprecated(since = "62.12.4.9")',
    '[GeneratedCode("tool", "62.12.4.9")]',
    "if ($version -ge '62.112.48.9') { }",
]
ADDRESSES = [
    "host = '{}'",
    "db_host: {}\n",
    "node1: {}\n",
    "HOST={}\n",
    "ip.src=={}",
    "ssh ubuntu@{}",
    "scp a ec2-user@{}:/x",
    '"ip": "{}"',
    "endpoint: {}\n",
    'if addr == "{}":',
    "nameserver {}\n",
    "http://{}/x",
    "moved the server from 10.0.0.1 to {}\n",
    "migrated from {} to another\n",
    "update of DNS, from 10.0.0.1 to {}\n",
    "# {} x\n",
    "{} - - [01/Jan/2020:10:00:00]",
    "{} 2020-01-01 10:00:00 GET",
    "ping {} (2020-01-01)",
    "if ($host -eq '{}')",
    "offline since yesterday, {}",
    'log("host", "{}")',
]


@pytest.mark.parametrize("text", VERSIONS)
def test_versions_of_four_numbers_are_no_addresses(text: str) -> None:
    assert cm.redact(text).content == text


@pytest.mark.parametrize("text", ADDRESSES)
def test_addresses_still_are(text: str) -> None:
    for address in ("52.12.44.9", "93.184.216.34"):
        assert cm.redact(text.format(address)).content == text.format("<ip>")


def test_what_is_found_says_by_which_rule() -> None:
    texts = (f"pfx: {PKCS12}\n", CONTAINERS[0][0].format(LONG[:64]))
    rules = {f["rule"] for text in texts for f in cleaning.findings(text)}
    assert rules == {"container", "putty"}
