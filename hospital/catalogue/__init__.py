"""What things are and what they cost (floor 6).

Owns price items with their prices by period, outpatient service types (号别) and the fees a
registration of each type costs by the doctor's title (M2.5, H1.1).
"""
