package model

import "testing"

func TestGoName(t *testing.T) {
	for in, want := range map[string]string{
		"id":                  "ID",
		"userId":              "UserID",
		"userIDs":             "UserIDs",
		"offsetAccountIds":    "OffsetAccountIDs",
		"access_token":        "AccessToken",
		"mfa-response":        "MFAResponse",
		"logo-master":         "LogoMaster",
		"businessIdNo":        "BusinessIDNo",
		"connectionID":        "ConnectionID",
		"DOB":                 "DOB",
		"isACNCRegistered":    "IsACNCRegistered",
		"cdrFAQ":              "CDRFAQ",
		"HOLD_ON_MATURITY":    "HoldOnMaturity",
		"Bank (Foreign)":      "BankForeign",
		"URLPath":             "URLPath",
		"regularIncomeYTD":    "RegularIncomeYTD",
		"thoroughfareNumber1": "ThoroughfareNumber1",
		"1":                   "N1",
		"":                    "",
		"--":                  "",
		"идентификатор":       "", // look-alike letters are not a name
		"user\u202eId":        "UserID",
		"averageDurationMs":   "AverageDurationMs",
		"application/pdf":     "ApplicationPDF",
	} {
		if got := GoName(in); got != want {
			t.Errorf("GoName(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestArgName(t *testing.T) {
	for in, want := range map[string]string{
		"UserID": "userID", "URL": "url", "ID": "id", "Type": "typeValue", "Method": "method", "Params": "paramsValue",
		"MFACode": "mfaCode",
	} {
		if got := argName(in); got != want {
			t.Errorf("argName(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestResourceFileAvoidsBuildSuffixes(t *testing.T) {
	for in, want := range map[string]string{
		"AuthLinks": "auth_links", "Users": "users", "ReportsLinux": "reports_linux_resource",
		"MyTest": "my_test_resource", "Windows": "windows", "Types": "types_resource", "Client": "client_resource",
	} {
		if got := (&Resource{Name: in}).File(); got != want {
			t.Errorf("file of resource %s is %q, want %q", in, got, want)
		}
	}
}
