"""Redaction, rule by rule: a line as people write it, and what is left of it; then what only looks like a value."""

from __future__ import annotations

import pytest

import codemill as cm
from codemill import cleaning

# Under each rule: the language (None: code of no known language), the line, and the line redacted.
FOUND: dict[str, list[tuple[str | None, str, str]]] = {
    "homes": [
        (None, "File.dirname('/home/jason', 2)", "File.dirname('/home/<user>', 2)"),
        (None, "whose home directory is `/home/edolstra`.", "whose home directory is `/home/<user>`."),
        (None, "kevin:x:1005:1006::/home/kevin:/usr/bin/zsh", "kevin:x:1005:1006::/home/<user>:/usr/bin/zsh"),
        (None, "load '/Users/bb/cube.poly'", "load '/Users/<user>/cube.poly'"),
        (None, "-F /Users/gingold/devel", "-F /Users/<user>/devel"),
        (None, "dir=c:/Users/cindy", "dir=c:/Users/<user>"),
        (None, r"C:\Documents and Settings\davris\x.doc", r"C:\Documents and Settings\<user>\x.doc"),
        (None, r"C:\Users\DASHBO~1\AppData", r"C:\Users\<user>\AppData"),
        (None, r"'C:\\Users\\Jane Miller\\x'", r"'C:\\Users\\<user>\\x'"),
        (None, ":/opt/home/simon/java/x.jar", ":/opt/home/<user>/java/x.jar"),
        (None, "/export/home/rks/x and /usr/users/bernd/bin", "/export/home/<user>/x and /usr/users/<user>/bin"),
        (None, "/home/member/dgrayson/x, /home/j/jkl/x", "/home/member/<user>/x, /home/j/<user>/x"),
        (None, "-s /u/jimb/ex4.scm, PATH=/u/subbarao:/bin", "-s /u/<user>/ex4.scm, PATH=/u/<user>:/bin"),
        (None, '<a href="file:///home/zefram/x.ps">', '<a href="file:///home/<user>/x.ps">'),
        (None, "http://uuuu:pppp@host/", "http://<user>:pppp@host/"),
        (None, "'/home/bro/programmer/x', /home/scott/x", "'/home/<user>/programmer/x', /home/<user>/x"),
        (None, "/home/gijs/x /home/andrejs/y /home/david/z", "/home/<user>/x /home/<user>/y /home/<user>/z"),
        (None, "/home/lena/lena.txt /home/tilo/src/tilo/x", "/home/<user>/lena.txt /home/<user>/src/tilo/x"),
        (None, "User=lena\nExecStart=/home/lena/app/run", "User=lena\nExecStart=/home/<user>/app/run"),
        (None, "'http://mj:x@' + host", "'http://<user>:x@' + host"),
        (None, "postgres://lena:Zx81spec@db/orders", "postgres://<user>:<password>@db/orders"),
        (None, "'redis://:s3cr3t@9xk@10.0.0.1:6379/0'", "'redis://:<password>@10.0.0.1:6379/0'"),
        (None, "http://lena:Zx@81@spec@host/a@b", "http://<user>:<password>@host/a@b"),
        (None, "TEL;WORK;VOICE:+61 2 9555 4022", "TEL;WORK;VOICE:<phone>"),
        (None, "// Tel. +33 1 42 68 53 00", "// Tel. <phone>"),
    ],
    "assignments": [
        ("makefile", "PASS = FooBaR1", "PASS = <password>"),
        ("ini", "secret = testing123", "secret = <password>"),
        ("ini", "secret=Zx81spec", "secret=<password>"),
        ("yaml", "api_key: a1B2c3D4e5F6", "api_key: <password>"),
        ("python", "# set PDOTEST_PASS=Password01", "# set PDOTEST_PASS=<password>"),
        ("ruby", 'secret: "0279bf37a1",', 'secret: "<password>",'),
        ("ruby", 'User.create(password: "abc123")', 'User.create(password: "<password>")'),
        ("json", '"token":"sssvIpwfnLAcWAQH.9"', '"token":"<password>"'),
        ("go", '// GITALY_TOKEN="foobar1234"', '// GITALY_TOKEN="<password>"'),
        ("go", 'overrideToken := Secret("token456")', 'overrideToken := Secret("<password>")'),
        ("python", 'new_token = "rotated-refresh-token-xyz789"', 'new_token = "<password>"'),
        ("python", "password: s0s3kr1t\'\'\')", "password: <password>\'\'\')"),
        ("text", '"password": "super sekret pa55word"', '"password": "<password>"'),
        ("json", '"TemporaryPassword": "A!1a12345678"', '"TemporaryPassword": "<password>"'),
        ("go", 'const password string = "Zx81spec"', 'const password string = "<password>"'),
        ("go", 'Password: pointer.String("Zx81spec"),', 'Password: pointer.String("<password>"),'),
        ("rust", 'password: Some(String::from("Zx81spec"))', 'password: Some(String::from("<password>"))'),
        ("rust", 'let password = String::from("Zx81spec");', 'let password = String::from("<password>");'),
        ("javascript", "env.PASSWORD || 'Zx81spec'", "env.PASSWORD || '<password>'"),
        ("python", 'os.getenv("PASSWORD", "Zx81spec")', 'os.getenv("PASSWORD", "<password>")'),
        ("python", 'assertEqual(c.password, "Zx81spec")', 'assertEqual(c.password, "<password>")'),
        ("python", '"password": ["Zx81spec"]', '"password": ["<password>"]'),
        ("java", 'server.setPassword( "abc123" );', 'server.setPassword( "<password>" );'),
        ("python", '"""\nrun -e MYSQL_PASSWORD=m42ploz2wd db', '"""\nrun -e MYSQL_PASSWORD=<password> db'),
        ("lua", "-- smbuser=ron,smbpass=iagotest2k3,x=1", "-- smbuser=ron,smbpass=<password>,x=1"),
        ("text", "userPassword: user34", "userPassword: <password>"),
        ("python", "SECRET_KEY = 'w95e#xr$t3!vdux)fj11!*q*^w^^r#kiyrvt3(jui-t_k%m3op'", "SECRET_KEY = '<password>'"),
        ("python", 'c("host=h user=j password=Zx81spec db=x")', 'c("host=h user=j password=<password> db=x")'),
        ("c", 'const char *newpass = "Koo8irei%$";', 'const char *newpass = "<password>";'),
        ("ruby", "binding[:password] = :Zx81spec", "binding[:password] = :<password>"),
        ("java", 'password("4MicrosoftADPassword")', 'password("<password>")'),
        ("yaml", "password: ${DB_PASSWORD:-Zx81spec}", "password: ${DB_PASSWORD:-<password>}"),
        ("java", '@Value("${db.password:Zx81spec}")', '@Value("${db.password:<password>}")'),
        ("python", "secret = ']aPPEv}uNg1FPnl?'", "secret = '<password>'"),
    ],
    "tokens whose name says what they open": [
        ("python", "'auth_token': 'abc123token'", "'auth_token': '<password>'"),
        ("python", "ADMIN_TOKEN = '4562138218392831'", "ADMIN_TOKEN = '<password>'"),
        ("python", "refresh_token='8xLOxBtZp8', x=1", "refresh_token='<password>', x=1"),
        ("python", 'monkeypatch.setenv("API_TOKEN", "k9d7dh3k")', 'monkeypatch.setenv("API_TOKEN", "<password>")'),
        ("javascript", 'const secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY";', 'const secret = "<password>";'),
    ],
    "calls": [
        ("python", 'k.set_password("svc12", "jane12", "Zx81spec")', 'k.set_password("svc12", "jane12", "<password>")'),
        ("python", 'User.set_password(user, "Zx81spec")', 'User.set_password(user, "<password>")'),
        ("go", 'req.SetBasicAuth("jane", "Zx81spec")', 'req.SetBasicAuth("jane", "<password>")'),
        ("java", 'd.getConnection(url, "sa", "Zx81spec")', 'd.getConnection(url, "sa", "<password>")'),
        ("python", 'get(url, auth=("jane", "Zx81spec"))', 'get(url, auth=("jane", "<password>"))'),
        ("javascript", "$('#password').val('Zx81spec')", "$('#password').val('<password>')"),
        ("javascript", 'expect(body.token).to.equal("k9d7dh3kabc12")', 'expect(body.token).to.equal("<password>")'),
        ("ruby", "fill_in 'Password', with: 'Zx81spec'", "fill_in 'Password', with: '<password>'"),
    ],
    "attributes and elements": [
        ("xml", '<property name="password" value="Zx81spec"/>', '<property name="password" value="<password>"/>'),
        ("xml", '<f:pw path="password" value="^76525bvHGq"/>', '<f:pw path="password" value="<password>"/>'),
        ("html", '<input type="password" value="Zx81spec">', '<input type="password" value="<password>">'),
        ("json", '{"name": "DB_PASSWORD", "value": "Zx81spec"}', '{"name": "DB_PASSWORD", "value": "<password>"}'),
        ("xml", '<password type="plain">Zx81spec</password>', '<password type="plain"><password></password>'),
        ("xml", '<param name="password">Zx81spec</param>', '<param name="password"><password></param>'),
    ],
    "options and commands": [
        ("shell", "mysql --password=Zx81spec db", "mysql --password=<password> db"),
        ("shell", "etcdctl --password Zx81spec get", "etcdctl --password <password> get"),
        ("perl", '"openssl rsa -passin pass:Zx81spec"', '"openssl rsa -passin pass:<password>"'),
        ("html", "-UserName:Don -Password:pao5j3eg", "-UserName:Don -Password:<password>"),
        ("shell", "curl -u jane:Zx81spec https://host", "curl -u jane:<password> https://host"),
        ("text", "machine host login jane password Zx81spec", "machine host login jane password <password>"),
        ("text", "username admin password 0 Zx81spec", "username admin password 0 <password>"),
        ("text", "requirepass Zx81spec", "requirepass <password>"),
        ("dockerfile", "ENV MYSQL_ROOT_PASSWORD Zx81spec", "ENV MYSQL_ROOT_PASSWORD <password>"),
        ("shell", "whack --xauthname u3 --xauthpass 'use1pass'", "whack --xauthname u3 --xauthpass '<password>'"),
        ("shell", "sshpass -p Zx81spec ssh h", "sshpass -p <password> ssh h"),
        ("shell", "mysql -u root -pZx81spec db", "mysql -u root -p<password> db"),
        ("shell", "smbclient //h/s -U jane%Zx81spec", "smbclient //h/s -U jane%<password>"),
        ("c", 'w("PASS :hunter2"); w("PASS hunter2\\r\\n")', 'w("PASS :<password>"); w("PASS <password>\\r\\n")'),
        ("text", "The password is Zx81spec.", "The password is <password>."),
    ],
    "statements and headers": [
        ("sql", "CREATE USER x IDENTIFIED BY 'Zx81spec';", "CREATE USER x IDENTIFIED BY '<password>';"),
        ("sql", "ALTER ROLE jane WITH PASSWORD 'Zx81spec';", "ALTER ROLE jane WITH PASSWORD '<password>';"),
        ("sql", "ALTER LOGIN sa WITH PASSWORD = N'Zx81spec';", "ALTER LOGIN sa WITH PASSWORD = N'<password>';"),
        (None, "Authorization: Basic dXNlcjpwd2Q=", "Authorization: Basic <password>"),
        (None, '"authorization": "Basic dXNlcjpwd2Q="', '"authorization": "Basic <password>"'),
        (None, "Authorization: Bearer mF_9.B5f-4.1JqM", "Authorization: Bearer <password>"),
        (None, 'credentials_in = "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="', 'credentials_in = "Basic <password>"'),
        (None, "Authorization: Bearer SlAV32hkKG", "Authorization: Bearer <password>"),
        ("text", "userPassword:: WngwMXNwZWM4MQ==", "userPassword:: <password>"),
    ],
    "addresses": [
        (None, "{64.12.7.1/32}, 93.184.216.34/26", "{<ip>/32}, <ip>/26"),
        (None, '"gateway_v4": "45.63.0.1"', '"gateway_v4": "<ip>"'),
        (None, '"a":"165.66.67.68"', '"a":"<ip>"'),
        (None, 'extra={"master": "13.0.0.1"}', 'extra={"master": "<ip>"}'),
        (None, "<bounces+jane=corp.de@lists.net>", "<<email>>"),
        (None, "v=spf1 ip6:2a03:b0c0:1:d0::1a:5001 -all", "v=spf1 ip6:<ip> -all"),
        (None, "write to j@blind.guru", "write to <email>"),
        (None, "U +0.000000 93.184.216.34:53 -> 64.90.164.74:53", "U +0.000000 <ip>:53 -> <ip>:53"),
        (None, "T 2004/03/28 20:32:37.088525 93.184.216.34 443", "T 2004/03/28 20:32:37.088525 <ip> 443"),
        (None, "1700000000.123456 93.184.216.34 443, 2.5,93.184.216.34,US", "1700000000.123456 <ip> 443, 2.5,<ip>,US"),
        (None, "12:30:45.1 IP 93.184.216.34.443 > 10.0.0.5.51234:", "12:30:45.1 IP <ip>.443 > 10.0.0.5.51234:"),
        (None, "ipAdEntAddr.93.184.216.34 = 1", "ipAdEntAddr.<ip> = 1"),
        (None, "address 93.184.216.34 netmask 255.255.255.252", "address <ip> netmask 255.255.255.252"),
    ],
    "phones": [
        (None, "tel int + 46 8 719 0000", "tel int <phone>"),
        (None, "TEL;TYPE=WORK,VOICE:+49 228 9582 5643", "TEL;TYPE=WORK,VOICE:<phone>"),
        (None, "call 650.948.6507 now", "call <phone> now"),
        (None, "<cell-phone>070122345</cell-phone>", "<cell-phone><phone></cell-phone>"),
        (None, "to=+12316851934&x", "to=<phone>&x"),
        ("text", "homePhone: 01001010", "homePhone: <phone>"),
        (None, "Tel:0800-345-600, tel:331-6005;isub", "Tel:<phone>, tel:<phone>;isub"),
        (None, "`1(817) 569-8900` or `+(852) 2356-4902`", "`<phone>` or `<phone>`"),
        (None, "call 650-253-4561--455-234-3451, or 703-4800500", "call <phone>--<phone>, or <phone>"),
        (None, "9 fax +14159657824 11Nov95", "9 fax <phone> 11Nov95"),
        (None, "phone('18510100102'); phoneNumber( '18810516991' )", "phone('<phone>'); phoneNumber( '<phone>' )"),
        (None, '"fax(kpmg): 691-3031", Phone (office) 030 9018 2073', '"fax(kpmg): <phone>", Phone (office) <phone>'),
        (None, "phone number: 8646978257, Fax no. 691-3031", "phone number: <phone>, Fax no. <phone>"),
        (None, "TEL;PREF:010-910-94494\ni1.TEL;type=pref:(0171) 3920174", "TEL;PREF:<phone>\ni1.TEL;type=pref:<phone>"),
        (None, '<input type="tel" value="030 90182073">', '<input type="tel" value="<phone>">'),
        (None, '<phone type="home">030 90182073</phone>', '<phone type="home"><phone></phone>'),
        (None, "Phone: ++1 (416) 978-4837, '++441772285411'", "Phone: +<phone>, '+<phone>'"),
        (None, "call our helpline @ +442032903681, or\n+15107488230\n", "call our helpline @ <phone>, or\n<phone>\n"),
        (None, "Tel. 0228 / 9582 - 5643 Tél : 01 44 58 91 34", "Tel. <phone> Tél : <phone>"),
        (None, "电话：010-62554321 Тел.: 8 (495) 739-70-00", "电话：<phone> Тел.: <phone>"),
    ],
    "names": [
        (None, '(:author "Mark Evenson")', '(:author "<name>")'),
        (None, " * Author Tobias Koppers @x", " * Author <name> @x"),
        (None, "-- by Vera Kasula on May 10", "-- by <name> on May 10"),
        (None, "fixes (Thanks David Arnold).", "fixes (Thanks <name>)."),
        (None, "* revised by:  Marcus Hennecke, Ross Moore", "* revised by:  <name>, <name>"),
        (None, "(c) 2022 by Amazon Services, Leon Brocard, Brad Moss.", "(c) 2022 by Amazon Services, <name>, <name>."),
    ],
}  # fmt: skip

STAYS: dict[str, list[str]] = {
    "homes of nobody": [
        "/home/containerd/x /home/fishuser/y /home/patchbot/z /home/my_project/ /home/user1/ /home/asterisk/",
        "/home/index.html /home/nicola.jpg/x C:\\Users\\ContainerAdministrator\\x C:\\Users\\ADMIN~1 /Users/Shared",
        'get(url_path="/home/spring-sale/") href="/home/team" GET /home/dashboard path("/home/profile")',
        "/home/pgpool/.pgpoolkey",
        "http://host/home/jane/x ../home/jane.md /home/$USER/x /home/%u/mail /users/jane/posts reddit user /u/jane ",
        "/home/jacoco/x /home/mlmmj/templates /home/opensips/x /home/myapp/ /home/ray/ca.crt /home/dynamodblocal/db",
        "/home/distcc/x /home/frs/project/x /home/mail2fax/qmail/ /home/users/flintstones/fred mysql://ser:heslo@localhost",
        "https://harry.potter@host.org/ ftp://user;AUTH=EXTERNAL@host/ https://REDACTED:x-oauth-basic@host/",
        "/home/smtpd/x /home/ldapjs/x /home/i18n/x /home/mrtg/x /home/barfoo/x /home/pw_reset/x /home/htdocs/x",
        "/home/zebu/cfg/zebu.cfg /home/zebu/bin/zebu /home/zebu/zebu/settings.py /home/smtp1/qpsmtp1/x",
        "COPY --chown=zebu:zebu . /home/zebu/app",
        "cwd=/home/u/initial x=/home/j/zebu/y",
        "WORKDIR /home/theia",
        "const z = require('zebu'); cd('/home/zebu/x')",
        "twilio://AccountSid:AuthToken@host sms://SID:Zx@host /home/lima.linux/x /home/public_ftp/x /home/a-hosting/x",
        "C:\\Users\\Administrator.DOUGLAS-WIN\\x mysql+pymysql://octavia:OCTAVIA_DBPASS@controller/octavia http://pg:x@h/",
    ],
    "what only stands for a password": [
        'password: "at least 8 characters" password_hash = "5f4dcc3b5aa765d61d8327deb882cf99"',
        'private_key_id: "4f8a2c1b9d7e6f5a3b2c" secretName: my-secret-v2 token: "T_STRING12" bypass = 0x4ae07ca0',
        'password: "%DB_PASS1%" token: "{{token1}}" password = "@PASS1@" password: "{SSHA}9JNl7Y2nW6pVxG5o" ',
        '"password", "scram-sha-256" password: "bcrypt10" PASSWORD \'md507a112732ed9f2087fa90b192d44e358\'',
        'Basic realm="abc1" Authorization: Basic realm="x" Bearer 1234 http://login-on-proxy:passwd-on-proxy@host',
        '"CreationToken": "2398asdfkajsdf" $skipToken=US1:0637720028736 NT-Password: rfc2759 x://password:login12/',
        "encrypt(b'The secret', ['E477C232']) Credential=abcd/20010101/us-east-2/s3/aws4_request Basic Operations",
        't.pass("tests/run-pass/*.rs12") new UsernamePassword("user22", "pass22") --password-file=/etc/pw12',
        '"ticketToken": "qrCode:123456789" getSigningSecret("webhookID123") k.get_password("service12", "jane12")',
        'pagination_token = "abc123def456" sync_token="s72594_4483_19" x-csrf-token: "ji4brixbiub3"',
        '("mypass", "6f8c114b58f2ce9e") auth_token = "token12" session_token = "123456789012" bypass = "x12ab34"',
        "password: ${DB_PASSWORD:?missing1} mysql -u root -p mydb2024 PASS t/foo12.py expect(token).toEqual('IDENT12')",
        'reset_password: "20/m/ip,5/m/key" login("anonymous", "ftp12@") password is sha256',
        'DB_PASSWORD= FILTER=int1 npm test -pass file:$key1 -pass env:KEY12 -w $PASSWD "ou=p12,dc=x"',
        'RefreshTokens (`0006_auto_20171214`) PASSWD = {"daev0001": "qwerty"} pkcs11:serial=1;token=PIV_II%20Card12',
        "dotenv://:key_1234..@dotenv.org/x http://usr:pwd%23%20@hst/ http://www.site1.com%00%09%3Fabc@host/",
    ],
    "addresses of nobody": [
        "149.112.112.112 101.102.103.104 223.5.5.5 168.63.129.16 2a10:50c0::ad1:ff 2620:119:35::35 ",
        "11.22.33.44 8.7.6.5 2001:1234:5678::3 2001:1234:5678:9abc::1 2001:dead:beef::1 2410:ffff:: 2420::1",
        "185.10.68.64/26 45.63.0.0/16 2a00:1450:4001::/48 path d='M-2.12 3.51.98.32 2.03' 7.3.192.168",
        "4.3.2.1.in-addr.arpa",
        "eth0 (64.90.164.72/255.255.255.252) route add 93.184.216.32 netmask 255.255.255.240",
        "permit 93.184.216.64 0.0.0.63 libfoo.93.184.216.34 d='M10.5 91.198.174.19 2.5,3.1z'",
        "'--allow-unsupported-compiler',  # 4.2.1.14",
    ],
    "messages, not addresses": [
        "<0CB459E0-0336-41DA-BC88-E6E28C697DDB@37signals.com> <6bc73d4c0910042358k3d1adff3qa36f8@mail.gmail.com>",
        "<20200101123456.GA1234@corp.de> <E1abcde-0001Ab-Cd@mail.corp.com> <4F8A2C1B.9040307@corp.com>",
        "by x with smtp id <m0s086w-0003hlC@greenie.muc.de>; Sat",
        "sk-ecdsa-sha2-nistp256@openssh.com hmac-sha2-256-etm@openssh.com aes256-gcm@openssh.com",
        "Message-ID: <jane@corp.de> a@example.fr jane@mydomain.org x@test.co.uk this@run.name",
    ],
    "phones of nobody": [
        "+44 20 7946 0958 +61 491 570 156 (555) 234-5678 +1 555 234 5678 020 7946 0000 +33 1 99 00 12 34",
        "+45 (212) 555-1212 D:@^+2.6.2.6.2.6.2.6.2.6.2.6@",
        "+14156667777 from='16138884444' +13334445555 +1 555 200000 phone: '545 555 00' +394421-1045903",
        "+49 30 55667788 +493011223344 321-321-4321 TEL;HOME:7654321",
        "+2147483647 x = +9000000000 DFARS 252.227-7013 phone_id: 98765432101 '+98172489'",
        "x = +14155862731 + 3; pager 100-2000 phones (5110 / 6110 / etc) TEL;TYPE=HOME:0351 223344",
    ],
}  # fmt: skip


@pytest.mark.parametrize("rule", FOUND)
def test_what_a_rule_finds(rule: str) -> None:
    for language, text, expected in FOUND[rule]:
        done = cm.redact(text, language=language).content
        assert done == expected, text
        assert cm.redact(done, language=language).content == expected, f"{text}: not all in one pass"


@pytest.mark.parametrize("rule", STAYS)
def test_what_a_rule_leaves(rule: str) -> None:
    for text in STAYS[rule]:
        for language in (None, "text"):
            assert cm.redact(text, language=language).content == text, (text, language)


@pytest.mark.parametrize(
    ("key", "rule"),
    [
        (["97531", "8642", ":A", "A", "Hq3Zs9TbVnK4mXw2RfLdPy7cGj8UoEi5_"], "telegram-bot-token"),
        (["4f8a2c1b9d7e6f5a", "3b2c1d0e9f8a7b6c", "-us", "12"], "mailchimp-api-key"),
        (["MTk4NjIyNDgzNDcxOTI1MjQ4", ".Cl2", "FMQ", ".", "ZnCjm1XVW7vRze4b7Cq4se7kKWs"], "discord-bot-token"),
        (["aB3", "8", "Q~", "dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5z"], "entra-client-secret"),
    ],
)
def test_keys_whose_mark_is_in_the_middle(key: list[str], rule: str) -> None:
    text = "".join(key)
    [found] = cleaning.findings(f'call("{text}")')
    assert (found["kind"], found["rule"], found["end"] - found["start"]) == ("key", rule, len(text))
    assert cleaning.findings(f'call("z{text}z")') == []


def test_a_file_of_no_known_language_is_read_as_configuration() -> None:
    import pyarrow as pa

    content = pa.array(["PASSWORD=Zx81spec\n"] * 2, pa.large_string())
    done = cleaning.redact_array(content, pa.array([None, "python"]), ())
    assert [row["password"] for row in done.to_pylist()] == [1, 0]
    assert [row["password"] for row in cleaning.redact_array(content, None, ()).to_pylist()] == [0, 0]
