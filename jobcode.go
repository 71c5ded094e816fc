package basiq

import "github.com/basiq-sdk/basiq-go/generated/core"

// jobCode is the code of a failed step, as an error for errors.Is.
type jobCode core.StepCode

// matches reports whether c represents a failure with this code. The API has two
// codes for some failures.
func (c jobCode) matches(code core.StepCode) bool {
	switch code {
	case "":
		return false
	case core.StepCodeMaintenanceError:
		return c == jobCode(code) || c == jobCode(core.StepCodeMaintenance)
	case core.StepCodeTemporaryUnavailableQueued:
		return c == jobCode(code) || c == jobCode(core.StepCodeTemporaryUnavailable)
	}
	return c == jobCode(code)
}

// Error returns the code.
func (c jobCode) Error() string { return "basiq: job failed: " + string(c) }

// ErrJob returns an error that matches, with errors.Is, every [*JobError] with
// this code. Use it for codes without a variable here: banks can return codes
// of their own.
func ErrJob(code core.StepCode) error { return jobCode(code) }

// Documented reasons for the failure of a job, for errors.Is.
var (
	ErrJobAccountDataDiffers         = ErrJob(core.StepCodeAccountDataDiffers)
	ErrJobAccountNotAccessible       = ErrJob(core.StepCodeAccountNotAccessibleRequiresUserAction)
	ErrJobAuthorizationFailed        = ErrJob(core.StepCodeAuthorizationFailed)
	ErrJobStatementInvalid           = ErrJob(core.StepCodeBankStatementInvalid)
	ErrJobStatementNewProduct        = ErrJob(core.StepCodeBankStatementNewProduct)
	ErrJobStatementNotSupported      = ErrJob(core.StepCodeBankStatementNotSupported)
	ErrJobStatementParsing           = ErrJob(core.StepCodeBankStatementParsingError)
	ErrJobConnector                  = ErrJob(core.StepCodeConnectorError)
	ErrJobEmptyFile                  = ErrJob(core.StepCodeEmptyFile)
	ErrJobInstitutionDisabled        = ErrJob(core.StepCodeInstitutionDisabled)
	ErrJobInstitutionNotAvailable    = ErrJob(core.StepCodeInstitutionNotAvailable)
	ErrJobInstitutionNotFound        = ErrJob(core.StepCodeInstitutionNotFound)
	ErrJobInvalidConnection          = ErrJob(core.StepCodeInvalidConnection)
	ErrJobInvalidCredentials         = ErrJob(core.StepCodeInvalidCredentials)
	ErrJobInvalidCSVRow              = ErrJob(core.StepCodeInvalidCSVRow)
	ErrJobInvalidFieldValue          = ErrJob(core.StepCodeInvalidFieldValue)
	ErrJobInvalidated                = ErrJob(core.StepCodeJobInvalidated)
	ErrJobTimedOut                   = ErrJob(core.StepCodeJobTimedOut)
	ErrJobMaintenance                = ErrJob(core.StepCodeMaintenance)
	ErrJobMissingRequiredField       = ErrJob(core.StepCodeMissingRequiredField)
	ErrJobMissingRequiredFieldValue  = ErrJob(core.StepCodeMissingRequiredFieldValue)
	ErrJobRowCountExceeded           = ErrJob(core.StepCodeRowCountExceeded)
	ErrJobServiceUnavailable         = ErrJob(core.StepCodeServiceUnavailable)
	ErrJobStatementNotAvailable      = ErrJob(core.StepCodeStatementNotAvailable)
	ErrJobSystemUnavailable          = ErrJob(core.StepCodeSystemUnavailable)
	ErrJobTemporarilyUnavailable     = ErrJob(core.StepCodeTemporaryUnavailable)
	ErrJobTransactionAfterUpdateDate = ErrJob(core.StepCodeTxnAfterLastUpdatedDate)
	ErrJobUnknown                    = ErrJob(core.StepCodeUnknownError)
	ErrJobUserActionRequired         = ErrJob(core.StepCodeUserActionRequired)
)

// NeedsUser reports whether the job can succeed only after the user has acted:
// logged in again, answered the bank's question, or resolved a problem at the
// bank. Advice says which.
func (e *JobError) NeedsUser() bool {
	if e == nil {
		return false
	}
	switch e.Code {
	case core.StepCodeInvalidCredentials, core.StepCodeAuthorizationFailed, core.StepCodeInvalidConnection,
		core.StepCodeAccountNotAccessibleRequiresUserAction, core.StepCodeUserActionRequired:
		return true
	}
	return e.Step == core.StepTitleMFAChallenge && !e.outage()
}

// Temporary reports whether the same job may succeed later without anybody's
// action.
func (e *JobError) Temporary() bool {
	if e == nil {
		return false
	}
	switch e.Code {
	case core.StepCodeServiceUnavailable, core.StepCodeSystemUnavailable, core.StepCodeMaintenance, core.StepCodeConnectorError,
		core.StepCodeInstitutionNotAvailable, core.StepCodeMaintenanceError, core.StepCodeTemporaryUnavailable,
		core.StepCodeTemporaryUnavailableQueued:
		return true
	case core.StepCodeJobTimedOut:
		return e.Step != core.StepTitleMFAChallenge
	}
	return false
}

// Advice returns what to do about the failure, in a few sentences, or "" if
// there is no advice for its code.
func (e *JobError) Advice() string {
	if e == nil {
		return ""
	}
	if e.Is(ErrMFAExpired) {
		return "The bank's question was answered too late or not at all; the answer itself may have been correct. Refresh the connection to get a new question."
	}
	if e.Step == core.StepTitleMFAChallenge && !e.outage() {
		return "The bank's question was answered incorrectly, too late or not at all. An answer cannot be corrected: refresh the connection to get a new question."
	}
	if e.Kind == "report" && e.Temporary() {
		return "The report could not be created now. Request it again later. Every report that is created is billed."
	}
	switch e.Code {
	case core.StepCodeInvalidCredentials:
		return "The bank rejected the login: the credentials are wrong, the login is locked, or a question was not answered. Do not retry with the same credentials. Send the user to the Consent UI with the connection's ID."
	case core.StepCodeAuthorizationFailed:
		return "The user did not authorise access at the bank. Send the user to the Consent UI again."
	case core.StepCodeInvalidConnection:
		return "The connection no longer works. Send the user to the Consent UI with the connection's ID."
	case core.StepCodeAccountNotAccessibleRequiresUserAction, core.StepCodeUserActionRequired:
		return "The user must log in at the bank and do what it asks for, such as accepting new terms. Then refresh the connection."
	case core.StepCodeServiceUnavailable, core.StepCodeSystemUnavailable, core.StepCodeInstitutionNotAvailable, core.StepCodeConnectorError,
		core.StepCodeTemporaryUnavailable, core.StepCodeTemporaryUnavailableQueued:
		return "The institution does not respond. Check the connector's status. Unless it has a major outage, refresh the connection after ten minutes. If that fails several times, contact Basiq's support with the connection's ID. Basiq retries its own updates every two hours for up to seven days."
	case core.StepCodeMaintenance, core.StepCodeMaintenanceError:
		return "The institution is under maintenance. Refresh the connection in a few hours."
	case core.StepCodeInstitutionDisabled, core.StepCodeInstitutionNotFound:
		return "The institution cannot be connected. List the connectors to see the available institutions."
	case core.StepCodeJobTimedOut:
		return "The job timed out. Start it again once. If it times out again, check the connector's status."
	case core.StepCodeBankStatementInvalid, core.StepCodeEmptyFile, core.StepCodeBankStatementParsingError:
		return "The file cannot be read as a statement. Upload the original file from the bank, not a scan or a printout, and check the institution."
	case core.StepCodeStatementNotAvailable:
		return "The institution has no statement for this account. Upload one, or connect the institution instead."
	case core.StepCodeJobInvalidated:
		return "The job is no longer valid, for example because a later one has replaced it. Start it again."
	case core.StepCodeBankStatementNewProduct, core.StepCodeBankStatementNotSupported:
		return "Statements in this format, or of this product, are not supported. Connect the institution instead, or contact Basiq's support."
	case core.StepCodeAccountDataDiffers:
		return "The statement belongs to a different account than the one that is connected. Upload it for that account."
	case core.StepCodeInvalidCSVRow, core.StepCodeInvalidFieldValue, core.StepCodeMissingRequiredField,
		core.StepCodeMissingRequiredFieldValue, core.StepCodeTxnAfterLastUpdatedDate:
		return "The file lacks a column, or has a row that cannot be read. See Detail, correct the file, and upload it again."
	case core.StepCodeRowCountExceeded:
		return "The file has too many rows. Split it by date and upload the parts."
	case core.StepCodeUnknownError:
		return "The reason is unknown to Basiq. Start the job again once. If it fails again, contact Basiq's support with the job's ID."
	}
	return ""
}
