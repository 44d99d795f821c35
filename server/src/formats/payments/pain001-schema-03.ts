/** The ISO 20022 schema of pain.001.001.03 in the notation of schema.ts; a test compares the two with libxml2 as the judge. */
export const PAIN_001_03_SCHEMA = String.raw`
AccountIdentification4Choice |IBAN:IBAN2007Identifier |Othr:GenericAccountIdentification1
AccountSchemeName1Choice |Cd:ExternalAccountIdentification1Code |Prtry:Max35Text
ActiveOrHistoricCurrencyAndAmount_SimpleType ~decimal minInclusive=0 fractionDigits=5 totalDigits=18
ActiveOrHistoricCurrencyAndAmount =ActiveOrHistoricCurrencyAndAmount_SimpleType @Ccy:ActiveOrHistoricCurrencyCode
ActiveOrHistoricCurrencyCode ~string pattern=[A-Z]{3,3}
AddressType2Code ~string enumeration=ADDR|PBOX|HOME|BIZZ|MLTO|DLVY
AmountType3Choice |InstdAmt:ActiveOrHistoricCurrencyAndAmount |EqvtAmt:EquivalentAmount2
AnyBICIdentifier ~string pattern=[A-Z]{6,6}[A-Z2-9][A-NP-Z0-9]([A-Z0-9]{3,3}){0,1}
Authorisation1Choice |Cd:Authorisation1Code |Prtry:Max128Text
Authorisation1Code ~string enumeration=AUTH|FDET|FSUM|ILEV
BICIdentifier ~string pattern=[A-Z]{6,6}[A-Z2-9][A-NP-Z0-9]([A-Z0-9]{3,3}){0,1}
BaseOneRate ~decimal fractionDigits=10 totalDigits=11
BatchBookingIndicator ~boolean
BranchAndFinancialInstitutionIdentification4 FinInstnId:FinancialInstitutionIdentification7 BrnchId:BranchData2?
BranchData2 Id:Max35Text? Nm:Max140Text? PstlAdr:PostalAddress6?
CashAccount16 Id:AccountIdentification4Choice Tp:CashAccountType2? Ccy:ActiveOrHistoricCurrencyCode? Nm:Max70Text?
CashAccountType2 |Cd:CashAccountType4Code |Prtry:Max35Text
CashAccountType4Code ~string enumeration=CASH|CHAR|COMM|TAXE|CISH|TRAS|SACC|CACC|SVGS|ONDP|MGLD|NREX|MOMA|LOAN|SLRY|ODFT
CategoryPurpose1Choice |Cd:ExternalCategoryPurpose1Code |Prtry:Max35Text
ChargeBearerType1Code ~string enumeration=DEBT|CRED|SHAR|SLEV
Cheque6 ChqTp:ChequeType2Code? ChqNb:Max35Text? ChqFr:NameAndAddress10? DlvryMtd:ChequeDeliveryMethod1Choice?
  DlvrTo:NameAndAddress10? InstrPrty:Priority2Code? ChqMtrtyDt:ISODate? FrmsCd:Max35Text? MemoFld:Max35Text?*2
  RgnlClrZone:Max35Text? PrtLctn:Max35Text?
ChequeDelivery1Code ~string enumeration=MLDB|MLCD|MLFA|CRDB|CRCD|CRFA|PUDB|PUCD|PUFA|RGDB|RGCD|RGFA
ChequeDeliveryMethod1Choice |Cd:ChequeDelivery1Code |Prtry:Max35Text
ChequeType2Code ~string enumeration=CCHQ|CCCH|BCHQ|DRFT|ELDR
ClearingSystemIdentification2Choice |Cd:ExternalClearingSystemIdentification1Code |Prtry:Max35Text
ClearingSystemMemberIdentification2 ClrSysId:ClearingSystemIdentification2Choice? MmbId:Max35Text
ContactDetails2 NmPrfx:NamePrefix1Code? Nm:Max140Text? PhneNb:PhoneNumber? MobNb:PhoneNumber? FaxNb:PhoneNumber?
  EmailAdr:Max2048Text? Othr:Max35Text?
CountryCode ~string pattern=[A-Z]{2,2}
CreditDebitCode ~string enumeration=CRDT|DBIT
CreditTransferTransactionInformation10 PmtId:PaymentIdentification1 PmtTpInf:PaymentTypeInformation19? Amt:AmountType3Choice
  XchgRateInf:ExchangeRateInformation1? ChrgBr:ChargeBearerType1Code? ChqInstr:Cheque6? UltmtDbtr:PartyIdentification32?
  IntrmyAgt1:BranchAndFinancialInstitutionIdentification4? IntrmyAgt1Acct:CashAccount16?
  IntrmyAgt2:BranchAndFinancialInstitutionIdentification4? IntrmyAgt2Acct:CashAccount16?
  IntrmyAgt3:BranchAndFinancialInstitutionIdentification4? IntrmyAgt3Acct:CashAccount16?
  CdtrAgt:BranchAndFinancialInstitutionIdentification4? CdtrAgtAcct:CashAccount16? Cdtr:PartyIdentification32?
  CdtrAcct:CashAccount16? UltmtCdtr:PartyIdentification32? InstrForCdtrAgt:InstructionForCreditorAgent1?*
  InstrForDbtrAgt:Max140Text? Purp:Purpose2Choice? RgltryRptg:RegulatoryReporting3?*10 Tax:TaxInformation3?
  RltdRmtInf:RemittanceLocation2?*10 RmtInf:RemittanceInformation5?
CreditorReferenceInformation2 Tp:CreditorReferenceType2? Ref:Max35Text?
CreditorReferenceType1Choice |Cd:DocumentType3Code |Prtry:Max35Text
CreditorReferenceType2 CdOrPrtry:CreditorReferenceType1Choice Issr:Max35Text?
CustomerCreditTransferInitiationV03 GrpHdr:GroupHeader32 PmtInf:PaymentInstructionInformation3*
DateAndPlaceOfBirth BirthDt:ISODate PrvcOfBirth:Max35Text? CityOfBirth:Max35Text CtryOfBirth:CountryCode
DatePeriodDetails FrDt:ISODate ToDt:ISODate
DecimalNumber ~decimal fractionDigits=17 totalDigits=18
Document CstmrCdtTrfInitn:CustomerCreditTransferInitiationV03
DocumentAdjustment1 Amt:ActiveOrHistoricCurrencyAndAmount CdtDbtInd:CreditDebitCode? Rsn:Max4Text? AddtlInf:Max140Text?
DocumentType3Code ~string enumeration=RADM|RPIN|FXDR|DISP|PUOR|SCOR
DocumentType5Code ~string enumeration=MSIN|CNFA|DNFA|CINV|CREN|DEBN|HIRI|SBIN|CMCN|SOAC|DISP|BOLD|VCHR|AROI|TSUT
EquivalentAmount2 Amt:ActiveOrHistoricCurrencyAndAmount CcyOfTrf:ActiveOrHistoricCurrencyCode
ExchangeRateInformation1 XchgRate:BaseOneRate? RateTp:ExchangeRateType1Code? CtrctId:Max35Text?
ExchangeRateType1Code ~string enumeration=SPOT|SALE|AGRD
ExternalAccountIdentification1Code ~string minLength=1 maxLength=4
ExternalCategoryPurpose1Code ~string minLength=1 maxLength=4
ExternalClearingSystemIdentification1Code ~string minLength=1 maxLength=5
ExternalFinancialInstitutionIdentification1Code ~string minLength=1 maxLength=4
ExternalLocalInstrument1Code ~string minLength=1 maxLength=35
ExternalOrganisationIdentification1Code ~string minLength=1 maxLength=4
ExternalPersonIdentification1Code ~string minLength=1 maxLength=4
ExternalPurpose1Code ~string minLength=1 maxLength=4
ExternalServiceLevel1Code ~string minLength=1 maxLength=4
FinancialIdentificationSchemeName1Choice |Cd:ExternalFinancialInstitutionIdentification1Code |Prtry:Max35Text
FinancialInstitutionIdentification7 BIC:BICIdentifier? ClrSysMmbId:ClearingSystemMemberIdentification2? Nm:Max140Text?
  PstlAdr:PostalAddress6? Othr:GenericFinancialIdentification1?
GenericAccountIdentification1 Id:Max34Text SchmeNm:AccountSchemeName1Choice? Issr:Max35Text?
GenericFinancialIdentification1 Id:Max35Text SchmeNm:FinancialIdentificationSchemeName1Choice? Issr:Max35Text?
GenericOrganisationIdentification1 Id:Max35Text SchmeNm:OrganisationIdentificationSchemeName1Choice? Issr:Max35Text?
GenericPersonIdentification1 Id:Max35Text SchmeNm:PersonIdentificationSchemeName1Choice? Issr:Max35Text?
GroupHeader32 MsgId:Max35Text CreDtTm:ISODateTime Authstn:Authorisation1Choice?*2 NbOfTxs:Max15NumericText
  CtrlSum:DecimalNumber? InitgPty:PartyIdentification32 FwdgAgt:BranchAndFinancialInstitutionIdentification4?
IBAN2007Identifier ~string pattern=[A-Z]{2,2}[0-9]{2,2}[a-zA-Z0-9]{1,30}
ISODate ~date
ISODateTime ~dateTime
Instruction3Code ~string enumeration=CHQB|HOLD|PHOB|TELB
InstructionForCreditorAgent1 Cd:Instruction3Code? InstrInf:Max140Text?
LocalInstrument2Choice |Cd:ExternalLocalInstrument1Code |Prtry:Max35Text
Max10Text ~string minLength=1 maxLength=10
Max128Text ~string minLength=1 maxLength=128
Max140Text ~string minLength=1 maxLength=140
Max15NumericText ~string pattern=[0-9]{1,15}
Max16Text ~string minLength=1 maxLength=16
Max2048Text ~string minLength=1 maxLength=2048
Max34Text ~string minLength=1 maxLength=34
Max35Text ~string minLength=1 maxLength=35
Max4Text ~string minLength=1 maxLength=4
Max70Text ~string minLength=1 maxLength=70
NameAndAddress10 Nm:Max140Text Adr:PostalAddress6
NamePrefix1Code ~string enumeration=DOCT|MIST|MISS|MADM
Number ~decimal fractionDigits=0 totalDigits=18
OrganisationIdentification4 BICOrBEI:AnyBICIdentifier? Othr:GenericOrganisationIdentification1?*
OrganisationIdentificationSchemeName1Choice |Cd:ExternalOrganisationIdentification1Code |Prtry:Max35Text
Party6Choice |OrgId:OrganisationIdentification4 |PrvtId:PersonIdentification5
PartyIdentification32 Nm:Max140Text? PstlAdr:PostalAddress6? Id:Party6Choice? CtryOfRes:CountryCode? CtctDtls:ContactDetails2?
PaymentIdentification1 InstrId:Max35Text? EndToEndId:Max35Text
PaymentInstructionInformation3 PmtInfId:Max35Text PmtMtd:PaymentMethod3Code BtchBookg:BatchBookingIndicator?
  NbOfTxs:Max15NumericText? CtrlSum:DecimalNumber? PmtTpInf:PaymentTypeInformation19? ReqdExctnDt:ISODate
  PoolgAdjstmntDt:ISODate? Dbtr:PartyIdentification32 DbtrAcct:CashAccount16
  DbtrAgt:BranchAndFinancialInstitutionIdentification4 DbtrAgtAcct:CashAccount16? UltmtDbtr:PartyIdentification32?
  ChrgBr:ChargeBearerType1Code? ChrgsAcct:CashAccount16? ChrgsAcctAgt:BranchAndFinancialInstitutionIdentification4?
  CdtTrfTxInf:CreditTransferTransactionInformation10*
PaymentMethod3Code ~string enumeration=CHK|TRF|TRA
PaymentTypeInformation19 InstrPrty:Priority2Code? SvcLvl:ServiceLevel8Choice? LclInstrm:LocalInstrument2Choice?
  CtgyPurp:CategoryPurpose1Choice?
PercentageRate ~decimal fractionDigits=10 totalDigits=11
PersonIdentification5 DtAndPlcOfBirth:DateAndPlaceOfBirth? Othr:GenericPersonIdentification1?*
PersonIdentificationSchemeName1Choice |Cd:ExternalPersonIdentification1Code |Prtry:Max35Text
PhoneNumber ~string pattern=\+[0-9]{1,3}-[0-9()+\-]{1,30}
PostalAddress6 AdrTp:AddressType2Code? Dept:Max70Text? SubDept:Max70Text? StrtNm:Max70Text? BldgNb:Max16Text? PstCd:Max16Text?
  TwnNm:Max35Text? CtrySubDvsn:Max35Text? Ctry:CountryCode? AdrLine:Max70Text?*7
Priority2Code ~string enumeration=HIGH|NORM
Purpose2Choice |Cd:ExternalPurpose1Code |Prtry:Max35Text
ReferredDocumentInformation3 Tp:ReferredDocumentType2? Nb:Max35Text? RltdDt:ISODate?
ReferredDocumentType1Choice |Cd:DocumentType5Code |Prtry:Max35Text
ReferredDocumentType2 CdOrPrtry:ReferredDocumentType1Choice Issr:Max35Text?
RegulatoryAuthority2 Nm:Max140Text? Ctry:CountryCode?
RegulatoryReporting3 DbtCdtRptgInd:RegulatoryReportingType1Code? Authrty:RegulatoryAuthority2?
  Dtls:StructuredRegulatoryReporting3?*
RegulatoryReportingType1Code ~string enumeration=CRED|DEBT|BOTH
RemittanceAmount1 DuePyblAmt:ActiveOrHistoricCurrencyAndAmount? DscntApldAmt:ActiveOrHistoricCurrencyAndAmount?
  CdtNoteAmt:ActiveOrHistoricCurrencyAndAmount? TaxAmt:ActiveOrHistoricCurrencyAndAmount?
  AdjstmntAmtAndRsn:DocumentAdjustment1?* RmtdAmt:ActiveOrHistoricCurrencyAndAmount?
RemittanceInformation5 Ustrd:Max140Text?* Strd:StructuredRemittanceInformation7?*
RemittanceLocation2 RmtId:Max35Text? RmtLctnMtd:RemittanceLocationMethod2Code? RmtLctnElctrncAdr:Max2048Text?
  RmtLctnPstlAdr:NameAndAddress10?
RemittanceLocationMethod2Code ~string enumeration=FAXI|EDIC|URID|EMAL|POST|SMSM
ServiceLevel8Choice |Cd:ExternalServiceLevel1Code |Prtry:Max35Text
StructuredRegulatoryReporting3 Tp:Max35Text? Dt:ISODate? Ctry:CountryCode? Cd:Max10Text?
  Amt:ActiveOrHistoricCurrencyAndAmount? Inf:Max35Text?*
StructuredRemittanceInformation7 RfrdDocInf:ReferredDocumentInformation3?* RfrdDocAmt:RemittanceAmount1?
  CdtrRefInf:CreditorReferenceInformation2? Invcr:PartyIdentification32? Invcee:PartyIdentification32?
  AddtlRmtInf:Max140Text?*3
TaxAmount1 Rate:PercentageRate? TaxblBaseAmt:ActiveOrHistoricCurrencyAndAmount? TtlAmt:ActiveOrHistoricCurrencyAndAmount?
  Dtls:TaxRecordDetails1?*
TaxAuthorisation1 Titl:Max35Text? Nm:Max140Text?
TaxInformation3 Cdtr:TaxParty1? Dbtr:TaxParty2? AdmstnZn:Max35Text? RefNb:Max140Text? Mtd:Max35Text?
  TtlTaxblBaseAmt:ActiveOrHistoricCurrencyAndAmount? TtlTaxAmt:ActiveOrHistoricCurrencyAndAmount? Dt:ISODate? SeqNb:Number?
  Rcrd:TaxRecord1?*
TaxParty1 TaxId:Max35Text? RegnId:Max35Text? TaxTp:Max35Text?
TaxParty2 TaxId:Max35Text? RegnId:Max35Text? TaxTp:Max35Text? Authstn:TaxAuthorisation1?
TaxPeriod1 Yr:ISODate? Tp:TaxRecordPeriod1Code? FrToDt:DatePeriodDetails?
TaxRecord1 Tp:Max35Text? Ctgy:Max35Text? CtgyDtls:Max35Text? DbtrSts:Max35Text? CertId:Max35Text? FrmsCd:Max35Text?
  Prd:TaxPeriod1? TaxAmt:TaxAmount1? AddtlInf:Max140Text?
TaxRecordDetails1 Prd:TaxPeriod1? Amt:ActiveOrHistoricCurrencyAndAmount
TaxRecordPeriod1Code ~string
  enumeration=MM01|MM02|MM03|MM04|MM05|MM06|MM07|MM08|MM09|MM10|MM11|MM12|QTR1|QTR2|QTR3|QTR4|HLF1|HLF2
`
