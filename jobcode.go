package basiq

import "github.com/basiq-sdk/basiq-go/generated/core"

// jobCode is a code of a failed step as an error, for errors.Is.
type jobCode core.StepCode

// Error gives the code.
func (c jobCode) Error() string { return "basiq: job failed: " + string(c) }

// ErrJob returns what errors.Is finds in a *JobError with this code: for codes
// that have no variable here, as banks have reasons of their own.
func ErrJob(code core.StepCode) error { return jobCode(code) }

// Documented reasons for which a job fails, for errors.Is.
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
	ErrJobTimedOut                   = ErrJob(core.StepCodeJobTimedOut)
	ErrJobMaintenance                = ErrJob(core.StepCodeMaintenance)
	ErrJobMissingRequiredField       = ErrJob(core.StepCodeMissingRequiredField)
	ErrJobMissingRequiredFieldValue  = ErrJob(core.StepCodeMissingRequiredFieldValue)
	ErrJobRowCountExceeded           = ErrJob(core.StepCodeRowCountExceeded)
	ErrJobServiceUnavailable         = ErrJob(core.StepCodeServiceUnavailable)
	ErrJobSystemUnavailable          = ErrJob(core.StepCodeSystemUnavailable)
	ErrJobTransactionAfterUpdateDate = ErrJob(core.StepCodeTxnAfterLastUpdatedDate)
	ErrJobUnknown                    = ErrJob(core.StepCodeUnknownError)
	ErrJobUserActionRequired         = ErrJob(core.StepCodeUserActionRequired)
)

// NeedsUser tells whether the job can only succeed after the user has done
// something: logged in again, answered the bank's question, or acted at the bank.
// Advice tells which.
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

// Temporary tells whether the same job may succeed later without anybody doing
// anything.
func (e *JobError) Temporary() bool {
	if e == nil {
		return false
	}
	switch e.Code {
	case core.StepCodeServiceUnavailable, core.StepCodeSystemUnavailable, core.StepCodeMaintenance, core.StepCodeConnectorError,
		core.StepCodeInstitutionNotAvailable:
		return true
	case core.StepCodeJobTimedOut:
		return e.Step != core.StepTitleMFAChallenge
	}
	return false
}

// Advice returns what to do about the failure, in one or two sentences, or ""
// when there is nothing more to say than the code does.
func (e *JobError) Advice() string {
	if e == nil {
		return ""
	}
	if e.Is(ErrMFAExpired) {
		return "The bank's question was answered too late, or not at all: the answer may have been right. Refresh the connection to be asked again."
	}
	if e.Step == core.StepTitleMFAChallenge && !e.outage() {
		return "The bank's question was answered wrongly, too late or not at all. Refresh the connection to be asked again; answers cannot be corrected."
	}
	if e.Kind == "report" && e.Temporary() {
		return "The report could not be made now. Ask for it again later; every one that is made is charged for."
	}
	switch e.Code {
	case core.StepCodeInvalidCredentials:
		return "The bank refused the login: it is wrong or locked, or a question is unanswered. Do not try the same login again; send the user to the Consent UI with the connection's ID."
	case core.StepCodeAuthorizationFailed:
		return "The user did not allow access at the bank. Send the user to the Consent UI again."
	case core.StepCodeInvalidConnection:
		return "The connection does not work any more. Send the user to the Consent UI with its ID."
	case core.StepCodeAccountNotAccessibleRequiresUserAction, core.StepCodeUserActionRequired:
		return "The user has to log in at the bank and do there what it asks for, such as accepting new terms. Refresh the connection after that."
	case core.StepCodeServiceUnavailable, core.StepCodeSystemUnavailable, core.StepCodeInstitutionNotAvailable, core.StepCodeConnectorError:
		return "The institution does not answer. Look at the connector's status: unless it has a major outage, refresh after ten minutes. After a few tries give the connection's ID to Basiq's support. Basiq repeats updates of its own every two hours for up to seven days."
	case core.StepCodeMaintenance:
		return "The institution is under maintenance. Refresh after some hours."
	case core.StepCodeInstitutionDisabled, core.StepCodeInstitutionNotFound:
		return "The institution cannot be connected. List the connectors to see which can be."
	case core.StepCodeJobTimedOut:
		return "The job took too long. Start it again once; if it goes on, look at the connector's status."
	case core.StepCodeBankStatementInvalid, core.StepCodeEmptyFile, core.StepCodeBankStatementParsingError:
		return "The file cannot be read as a statement. Upload the file as the bank gives it out, neither scanned nor printed anew, and for the right institution."
	case core.StepCodeBankStatementNewProduct, core.StepCodeBankStatementNotSupported:
		return "Statements of this form or product are not supported. Connect the institution instead, or ask Basiq's support."
	case core.StepCodeAccountDataDiffers:
		return "The statement is of another account than the one that is connected. Upload it for that account."
	case core.StepCodeInvalidCSVRow, core.StepCodeInvalidFieldValue, core.StepCodeMissingRequiredField,
		core.StepCodeMissingRequiredFieldValue, core.StepCodeTxnAfterLastUpdatedDate:
		return "The file lacks a column, or has a row that cannot be read. Detail names it; correct the file and upload it again."
	case core.StepCodeRowCountExceeded:
		return "The file has too many rows. Split it by dates and upload the parts."
	case core.StepCodeUnknownError:
		return "Basiq does not know the reason. Start the job again once; if it goes on, give the job's ID to Basiq's support."
	}
	return ""
}
